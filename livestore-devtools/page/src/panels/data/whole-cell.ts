import type { Cell, ColumnInfo, TableInfo } from "../../protocol.ts";

/**
 * SQL that gives all of a long value, piece by piece: the host shows the start of a long one, but as many rows as
 * one asks for.
 */

/** No piece is so long that the host would cut it. */
const TEXT_PIECE = 500;
const BLOB_PIECE = 900;
export const MOST_PIECES = 4_000;

export function wholeCellSql(table: TableInfo, row: Cell[], column: ColumnInfo, isBlob: boolean): string | null {
  const keys = table.columns.flatMap((key, index) =>
    key.key > 0 ? [{ name: key.name, cell: row[index] ?? null }] : [],
  );
  const conditions = keys.map(({ name, cell }) => {
    const value = literal(cell);
    return value === null ? null : `${quote(name)} IS ${value}`;
  });
  if (keys.length === 0 || conditions.includes(null)) return null;
  const from = `FROM ${quote(table.name)} WHERE ${conditions.join(" AND ")}`;
  const value = quote(column.name);
  const size = isBlob ? BLOB_PIECE : TEXT_PIECE;
  const piece = `substr(${value}, 1 + n * ${size}, ${size})`;
  return [
    `WITH RECURSIVE pieces(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM pieces`,
    `WHERE (n + 1) * ${size} < (SELECT length(${value}) ${from}) LIMIT ${MOST_PIECES})`,
    `SELECT (SELECT ${isBlob ? `hex(${piece})` : piece} ${from}) FROM pieces ORDER BY n`,
  ].join(" ");
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A value as SQL has it; `null` if it is not whole, or cannot be written. */
function literal(cell: Cell): string | null {
  if (cell === null) return "NULL";
  if (typeof cell === "number") return String(cell);
  if (typeof cell === "string") return cell.includes("\0") ? null : `'${cell.replaceAll("'", "''")}'`;
  if ("integer" in cell) return cell.integer;
  if ("real" in cell) return /^-?[\d.e+-]+$/i.test(cell.real) ? cell.real : null;
  if ("blob" in cell) return cell.blob.length === cell.length * 2 ? `x'${cell.blob}'` : null;
  return null;
}
