// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderMarkdown } from './markdown.ts';

describe('a README', () => {
  test('has headings below the page’s, tables, code', () => {
    const html = renderMarkdown('# Title\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n`code`');
    expect(html).toContain('<h3>Title</h3>');
    expect(html).toContain('<td class="align-right">2</td>');
    expect(html).toContain('<code>code</code>');
  });

  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '![x](javascript:alert(1))',
    '<javascript:alert(1)>',
    '[x](vbscript:msgbox)',
    '[x](//evil.example/)',
    '[x](https://a.example" onmouseover="alert(1))',
    '<div hx-get="/v2/" hx-trigger="load">',
  ])('%j does nothing', (text) => {
    const html = renderMarkdown(text);
    expect(html).not.toMatch(/<(?!\/?(?:p|a|h\d|code|pre|em|strong)\b)/);
    expect(html).not.toMatch(/<[^>]*(?:\son\w+=|javascript:|data:|hx-)/i);
    for (const [, address] of html.matchAll(/href="([^"]*)"/g)) expect(address).toMatch(/^(?:https?:|mailto:|#)/);
  });

  test('pictures become links', () => {
    expect(renderMarkdown('![logo](https://a.example/l.png)')).toContain(
      '<a href="https://a.example/l.png" rel="nofollow noopener noreferrer">logo</a>',
    );
  });

  test('hidden characters are shown', () => {
    expect(renderMarkdown('a\u202eb\x1b')).toContain('a\\u{202e}b\\u{1b}');
  });

  test('no text fails, or opens an element that is not expected', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(renderMarkdown(text)).not.toMatch(/<(?:script|img|iframe|style|form|input|object|svg)/i);
      }),
    );
  });

  test('a megabyte takes no time to speak of', () => {
    const begun = performance.now();
    for (const piece of ['[', '*a_', '`', '> ', '<a', '![', '|a', '- ']) renderMarkdown(piece.repeat(500_000));
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
