export interface SqlToken {
  kind: "keyword" | "text" | "number" | "comment" | "name" | "plain";
  text: string;
}

const KEYWORDS = new Set(
  `all and as asc between by case cast collate cross desc distinct else end escape except exists explain filter from full glob
  group having in inner intersect is isnull join left like limit match materialized natural not notnull null nulls offset on or
  order outer over partition plan pragma query recursive right select then union using values when where window with`.split(
    /\s+/,
  ),
);

/** Comments, strings, quoted names, numbers, words, and all the rest a character at a time. Every one ends. */
const TOKEN =
  /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?|`[^`]*`?|\[[^\]]*\]?)|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|([a-z_]\w*)|([\s\S])/gi;

export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  for (const [text, comment, string, name, number, word] of sql.matchAll(TOKEN)) {
    const kind = comment
      ? "comment"
      : string
        ? "text"
        : name
          ? "name"
          : number
            ? "number"
            : word && KEYWORDS.has(word.toLowerCase())
              ? "keyword"
              : "plain";
    const last = tokens.at(-1);
    if (kind === "plain" && last?.kind === "plain") last.text += text;
    else tokens.push({ kind, text });
  }
  return tokens;
}
