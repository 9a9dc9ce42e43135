"""Runs a program for which, while a file is there, the kernel has no room for another compiled filter.

    filters-refused.py FILE program argument...

The program and all that it starts get ENOTSUPP (524) of prctl(PR_SET_SECCOMP), as where net.core.bpf_jit_limit is used
up, by a filter that asks this script (seccomp_unotify(2)). Linux 5.5.
"""

import ctypes
import fcntl
import os
import select
import struct
import sys

SECCOMP, PRCTL = (277, 167) if os.uname().machine == 'aarch64' else (317, 157)
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SET_MODE_FILTER, NEW_LISTENER = 1, 8
ALLOW, USER_NOTIF = 0x7FFF0000, 0x7FC00000
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06
NUMBER_AT, ARGUMENT_AT = 0, 16
RECEIVE, SEND = 0xC0502100, 0xC0182101
REQUEST_BYTES = 80
CONTINUE = 1
ENOTSUPP = 524

flag, *command = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)


def listener():
    rules = [
        (LOAD, 0, 0, NUMBER_AT),
        (EQUALS, 0, 3, PRCTL),
        (LOAD, 0, 0, ARGUMENT_AT),
        (EQUALS, 0, 1, PR_SET_SECCOMP),
        (RETURN, 0, 0, USER_NOTIF),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *rule) for rule in rules))
    program = ctypes.create_string_buffer(struct.pack('HxxxxxxP', len(rules), ctypes.addressof(code)))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    fd = libc.syscall(SECCOMP, SET_MODE_FILTER, NEW_LISTENER, program)
    if fd < 0:
        raise OSError(ctypes.get_errno(), 'seccomp')
    return fd


def answer(fd):
    request = bytearray(REQUEST_BYTES)
    try:
        fcntl.ioctl(fd, RECEIVE, request)
        (which,) = struct.unpack_from('Q', request)
        refused = os.path.exists(flag)
        reply = struct.pack('QqiI', which, 0, -ENOTSUPP if refused else 0, 0 if refused else CONTINUE)
        fcntl.ioctl(fd, SEND, reply)
    except OSError:
        pass  # Who asked has ended.


fd = listener()
program = os.getpid()
if os.fork() > 0:
    os.close(fd)
    os.execvp(command[0], command)
os.closerange(0, fd)
while os.getppid() == program:
    if select.select([fd], [], [], 1)[0]:
        answer(fd)
