/* csv.js — CSV as the server reads it, so that a preview's row 7 is the server's row 7.
 *
 * A record knows where it stands in the text: a part of a file is sent as it was written.
 */
/* [{ cells, start, end }…] of a text: quoted cells may hold separators, lines and doubled quotes; blank lines are none. */
function records(text, separator) {
  const all = [];
  let at = 0;
  while (at < text.length) {
    const start = at, cells = [];
    let ended = false;
    while (!ended) {
      let cell = "";
      if (text[at] === '"') {
        for (at++; at < text.length && !(text[at] === '"' && text[at + 1] !== '"'); at++) {
          cell += text[at];
          at += text[at] === '"';
        }
        at++;
      }
      const from = at;
      while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r")
        at++;
      cells.push((cell + text.slice(from, at)).trim());
      ended = text[at] !== separator;
      at++;
    }
    if (text[at - 1] === "\r" && text[at] === "\n")
      at++;
    if (cells.some((cell) => cell !== ""))
      all.push({ cells, start, end: Math.min(at, text.length) });
  }
  return all;
}

/* The header, the rows under it (empty ones are none, as for the server), and a file of some of the rows.  The separator is
   the server's finding; a line that says it is no row. */
export function parse(text, separator) {
  const said = /^"?sep=.*(\r\n?|\n)/i.exec(text)?.[0] ?? "";
  const [header, ...rows] = records(text.slice(said.length), separator);
  text = text.slice(said.length);
  const raw = ({ start, end }) => {
    const line = text.slice(start, end);
    return /[\r\n]$/.test(line) ? line : `${line}\n`;
  };
  return { header: header?.cells ?? [], rows: rows.map((row) => row.cells), part: (numbers) => said + raw(header) + numbers.map((number) => raw(rows[number - 1])).join("") };
}

/* "Sale Amount*" and "saleamount" name the same column, and so does what stands before a remark in brackets. */
export const sameTitle = (one, other) => {
  const plain = (title) => title.split("(")[0].replace(/[ _*\t.\u00a0\ufeff-]/g, "").toLowerCase();
  return plain(one) === plain(other);
};
