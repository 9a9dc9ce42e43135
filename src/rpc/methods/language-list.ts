import { Type } from '@sinclair/typebox';
import { LanguageInfo } from '../../schemas/language.ts';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const languageList = defineMethod({
  name: 'language.list',
  summary: 'Lists the languages and what runs them here',
  answer: 'Every language, be it available or not',
  params: closed({}),
  result: Type.Array(LanguageInfo),
  reads: true,
  run: (_, { service }) => service.languages(),
});
