/** Run the compiled example against a server: node run.mjs BASE_URL USERNAME PASSWORD FILE SHOP */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Refused, facts, signIn, sync, upload, wait } from "./example.js";

const [baseUrl, username, password, path, shop] = process.argv.slice(2);
const client = await signIn(baseUrl, username, password);
const refused = await sync(client, 2 ** 40).catch((error) => error);
const fileId = await upload(client, new File([await readFile(path)], basename(path)), shop);
const progress = await wait(client, await sync(client, fileId));
const rows = await facts(client, fileId);
const told = { refused: refused instanceof Refused && refused.code, status: progress.status, rows };
process.stdout.write(JSON.stringify(told));
