# /// script
# dependencies = ["langchain-e2b>=0.0.6"]
# ///
"""A deep agent of LangChain whose files and commands are in a sandbox of this service, by E2B's protocol."""
import os

from deepagents import create_deep_agent
from e2b import Sandbox
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_e2b import E2BSandbox

URL = os.environ.get("CODEBEAKER_URL", "http://127.0.0.1:5039")
KEY = os.environ.get("CODEBEAKER_API_KEY", "any")


class Model(FakeMessagesListChatModel):
    """Stands in for one of any provider: it writes a program, and has it run."""

    def bind_tools(self, tools, **_):
        return self


def call(number, name, **args):
    return AIMessage("", tool_calls=[{"id": str(number), "name": name, "args": args}])


program = "print(sum(i * i for i in range(100)))"
model = Model(
    responses=[
        call(1, "write_file", file_path="/home/user/squares.py", content=program),
        call(2, "edit_file", file_path="/home/user/squares.py", old_string="100", new_string="10"),
        call(3, "execute", command="python3 squares.py"),
        call(4, "grep", pattern="range", path="/home/user"),
        call(5, "read_file", file_path="/home/user/squares.py"),
        AIMessage("done"),
    ]
)
sandbox = Sandbox.create(api_url=f"{URL}/e2b", sandbox_url=f"{URL}/e2b", api_key=KEY)
agent = create_deep_agent(model=model, backend=E2BSandbox(sandbox=sandbox))
for message in agent.invoke({"messages": "Add up the squares of the numbers below 10."})["messages"]:
    if message.type == "tool":
        print(f"{message.name}: {str(message.content).splitlines()[0]}")
sandbox.kill()
