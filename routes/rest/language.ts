import { Type } from '@sinclair/typebox';
import { LanguageInfo } from '../../src/schemas/language.ts';
import { closed } from '../../src/schemas/shapes.ts';
import type { Service } from '../../src/service/service.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';

const tags = ['language'];

export function languageRoutes(app: App, service: Service): void {
  app.get(
    '/api/language',
    {
      schema: {
        tags,
        operationId: 'listLanguages',
        summary: 'The languages and what runs them here',
        response: {
          200: Type.Array(LanguageInfo, { description: 'Every language, be it available or not' }),
          ...problems(),
        },
      },
    },
    async () => service.languages(),
  );
  app.get(
    '/api/language/:name',
    {
      schema: {
        tags,
        operationId: 'getLanguage',
        summary: 'One language, by its name or an alias',
        params: closed({ name: Type.String({ description: 'Name or alias' }) }),
        response: { 200: LanguageInfo, ...problems('NOT_FOUND') },
      },
    },
    async request => service.language(request.params.name),
  );
}
