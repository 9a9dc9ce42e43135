// An agent of Vercel's AI SDK: what its model may call are this service's tools, by the Model Context Protocol.
import { createMCPClient } from '@ai-sdk/mcp';
import { generateText, stepCountIs } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';

const url = process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039';
const key = process.env.CODEBEAKER_API_KEY;
const headers = { ...(key && { authorization: `Bearer ${key}` }) };

const service = await createMCPClient({ transport: { type: 'http', url: `${url}/mcp`, headers } });
const tools = await service.tools();
const prompt = 'Add up the squares of the numbers below 100.';
const { text } = await generateText({ model: anyModel(), tools, prompt, stopWhen: stepCountIs(5) });

console.log(text);
await tools.close_session.execute({});
await service.close();

/** Stands in for a provider's model: it has a program run, and says what that printed. */
function anyModel() {
  const input = JSON.stringify({ code: 'print(sum(i * i for i in range(100)))' });
  const call = { type: 'tool-call', toolCallId: 'one', toolName: 'execute_code', input };
  const count = { total: 1 };
  return new MockLanguageModelV3({
    async doGenerate({ prompt }) {
      const { role, content } = prompt.at(-1);
      const said = role === 'tool' ? { type: 'text', text: content[0].output.value[0].text.trim() } : call;
      return {
        content: [said],
        finishReason: { unified: role === 'tool' ? 'stop' : 'tool-calls' },
        usage: { inputTokens: count, outputTokens: count },
        warnings: [],
      };
    },
  });
}
