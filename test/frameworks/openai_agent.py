# /// script
# dependencies = ["openai-agents>=0.24"]
# ///
"""An agent of OpenAI's Agents SDK: its tools are this service's, by the Model Context Protocol."""
import asyncio
import json
import os

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
from agents.mcp import MCPServerStreamableHttp
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

URL = os.environ.get("CODEBEAKER_URL", "http://127.0.0.1:5039")
KEY = os.environ.get("CODEBEAKER_API_KEY")


class OneOfAnyProvider(Model):
    """Stands in for it: it has a program run, and answers what that printed."""

    async def get_response(self, system_instructions, input, *_, **__):
        if isinstance(input, str) or input[-1].get("type") != "function_call_output":
            code = json.dumps({"code": "print(sum(i * i for i in range(100)))"})
            said = ResponseFunctionToolCall(type="function_call", name="execute_code", arguments=code, call_id="one")
        else:
            printed = input[-1]["output"][0]["text"].strip()
            text = ResponseOutputText(type="output_text", text=printed, annotations=[])
            said = ResponseOutputMessage(id="two", type="message", role="assistant", status="completed", content=[text])
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *_, **__):
        raise NotImplementedError


async def main():
    headers = {"authorization": f"Bearer {KEY}"} if KEY else {}
    async with MCPServerStreamableHttp({"url": f"{URL}/mcp", "headers": headers}) as service:
        agent = Agent(name="example", model=OneOfAnyProvider(), mcp_servers=[service])
        config = RunConfig(tracing_disabled=True)
        result = await Runner.run(agent, "Add up the squares of the numbers below 100.", run_config=config)
        print(result.final_output)
        await service.call_tool("close_session", {})


asyncio.run(main())
