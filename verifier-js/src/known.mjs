// Where Countersign's contracts are: the same addresses on every chain (CREATE2).

import create2 from "../../deployments/create2.json" with { type: "json" };
import { bytesOf } from "./bytes.mjs";

const at = (name) => bytesOf(create2.contracts[name].address, 20);

export const KNOWN = {
  registry: at("ContentRegistry"),
  identities: at("Identities"),
  models: at("ModelRegistry"),
};
