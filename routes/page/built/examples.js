const PYTHON = [
    {
        title: 'Output as it comes',
        code: `import sys, time

for step in range(1, 6):
    print("step", step, flush=True)
    time.sleep(0.3)
print("this goes to standard error", file=sys.stderr)
`,
    },
    {
        title: 'Standard input',
        code: `import sys

numbers = [float(word) for word in sys.stdin.read().split()]
print(len(numbers), "numbers, sum", sum(numbers))
`,
        stdin: '1 2 3.5\n35.5\n',
    },
    {
        title: 'A picture',
        isKept: true,
        code: `# The Mandelbrot set as a PNG, with nothing but the standard library.
import struct, zlib
from IPython.display import Image, display

WIDTH, HEIGHT, STEPS = 300, 200, 40


def shade(x, y):
    c = complex(3.0 * x / WIDTH - 2.1, 2.0 * y / HEIGHT - 1.0)
    z = 0
    for step in range(STEPS):
        z = z * z + c
        if abs(z) > 2:
            return bytes((18 + 3 * step, 40 + min(215, 7 * step), 60 + min(195, 9 * step)))
    return bytes((8, 14, 18))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\\0" + b"".join(shade(x, y) for x in range(WIDTH)) for y in range(HEIGHT))
header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
open("mandelbrot.png", "wb").write(png)
display(Image(data=png))
`,
    },
    {
        title: 'A table',
        isKept: true,
        code: `from IPython.display import HTML

rows = "".join(f"<tr><th>{n}</th><td>{n ** 2}</td><td>{n ** 3}</td></tr>" for n in range(1, 6))
HTML(f"<table><thead><tr><th>n</th><th>square</th><th>cube</th></tr></thead><tbody>{rows}</tbody></table>")
`,
    },
    {
        title: 'Variables that stay',
        isKept: true,
        code: `# Run this more than once: the session remembers.
count = globals().get("count", 0) + 1
with open("log.txt", "a") as log:
    print("run", count, file=log)
count
`,
    },
    {
        title: 'An error',
        code: `def divide(a, b):
    return a / b


print(divide(1, 0))
`,
    },
];
const SCRIPT = [
    {
        title: 'Output as it comes',
        code: `for (let step = 1; step <= 5; step++) {
    console.log('step', step);
    await new Promise(resolve => setTimeout(resolve, 300));
}
console.error('this goes to standard error');
`,
    },
    {
        title: 'Standard input',
        code: `import { readFileSync } from 'node:fs';

const numbers = readFileSync(0, 'utf8').trim().split(/\\s+/).map(Number);
console.log(numbers.length, 'numbers, sum', numbers.reduce((sum, each) => sum + each, 0));
`,
        stdin: '1 2 3.5\n35.5\n',
    },
    {
        title: 'Variables that stay',
        isKept: true,
        code: `// Run this more than once: the session remembers.
globalThis.count = (globalThis.count ?? 0) + 1;
count
`,
    },
];
const GO = [
    {
        title: 'Output as it comes',
        code: `package main

import (
	"fmt"
	"time"
)

func main() {
	for step := 1; step <= 5; step++ {
		fmt.Println("step", step)
		time.Sleep(300 * time.Millisecond)
	}
}
`,
    },
];
const CSHARP = [
    {
        title: 'Output as it comes',
        code: `for (var step = 1; step <= 5; step++)
{
    Console.WriteLine($"step {step}");
    Thread.Sleep(300);
}
`,
    },
];
/** Programs to begin with, by their language's name; the first of each is shown when its language is chosen. */
export const EXAMPLES = {
    python: PYTHON,
    javascript: SCRIPT,
    typescript: SCRIPT,
    go: GO,
    csharp: CSHARP,
};
