// The JavaScript verifier, asked line by line: JSON {certificate, content, blockHash}, the first in base64.

import { createInterface } from "node:readline";
import { bytesOf } from "../../verifier-js/src/bytes.mjs";
import { Refused, readCertificate } from "../../verifier-js/src/certificate.mjs";
import { KNOWN } from "../../verifier-js/src/known.mjs";
import { verify } from "../../verifier-js/src/verify.mjs";

function answer({ certificate, content, blockHash }) {
  const read = readCertificate(new Uint8Array(Buffer.from(certificate, "base64")));
  const given = { content: content && bytesOf(content, 32), blockHash: blockHash && bytesOf(blockHash, 32) };
  const { outcome, summary, steps } = verify(read, { ...given, known: KNOWN });
  return { outcome, summary, steps };
}

for await (const line of createInterface({ input: process.stdin })) {
  let result;
  try {
    result = answer(JSON.parse(line));
  } catch (error) {
    result = { outcome: error instanceof Refused ? "refused" : "crashed", summary: String(error.stack) };
  }
  process.stdout.write(JSON.stringify(result) + "\n");
}
