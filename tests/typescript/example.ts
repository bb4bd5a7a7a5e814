/** From a password to the clean rows of a file, as a frontend does it: every name and type is the document's. */
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api";

type Problem = components["schemas"]["ErrorEnvelope"];
type Progress = components["schemas"]["Progress"];
type FactPage = paths["/api/data-sync/facts/{domain}"]["get"]["responses"][200]["content"]["application/json"];
type Answered<Body> = { data?: Body | string; error?: Problem; response: Response };

const ENDED: readonly Progress["status"][] = ["completed", "partial", "failed", "cancelled"];

/** An error that the API told; `code` never changes, the message is in the reader's language. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly retryAfter: number | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** The JSON of an answer, which for some calls may be text as well; an error becomes `Refused`. */
function told<Body>({ data, error, response }: Answered<Body>): Body {
  if (error !== undefined) {
    const wait = response.headers.get("Retry-After");
    throw new Refused(error.error.code, wait === null ? undefined : Number(wait), error.message);
  }
  if (data === undefined || typeof data === "string") {
    throw new Error(`an answer without JSON: ${response.status}`);
  }
  return data;
}

export async function signIn(baseUrl: string, username: string, password: string): Promise<Client<paths>> {
  const client = createClient<paths>({ baseUrl });
  const { data } = told(await client.POST("/api/auth/login", { body: { username, password } }));
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${data.token}`);
      return request;
    },
  });
  return client;
}

/** Store one file and say what it is; its id in the catalogue. */
export async function upload(client: Client<paths>, file: File, shopId: string): Promise<number> {
  const { data } = told(
    await client.POST("/api/data-sync/files", {
      body: { file: [file.name], platform: "shopee", domain: "orders", granularity: "daily", shop_id: shopId },
      bodySerializer(described) {
        const form = new FormData();
        for (const [name, value] of Object.entries(described)) {
          form.append(name, name === "file" ? file : String(value));
        }
        return form;
      },
    }),
  );
  const [uploaded] = data;
  if (!uploaded?.file) {
    throw new Error(uploaded?.error?.message ?? "nothing was uploaded");
  }
  return uploaded.file.id;
}

export async function sync(client: Client<paths>, fileId: number): Promise<string> {
  const { data } = told(await client.POST("/api/data-sync/single", { body: { file_id: fileId, priority: 8 } }));
  return data.task_id;
}

/** Ask until the task has ended. */
export async function wait(client: Client<paths>, taskId: string): Promise<Progress> {
  for (;;) {
    const answer = await client.GET("/api/data-sync/progress/{task_id}", { params: { path: { task_id: taskId } } });
    const { data } = told(answer);
    if (ENDED.includes(data.status)) {
      return data;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Every row that the file wrote, page by page. */
export async function facts(client: Client<paths>, fileId: number): Promise<FactPage["data"]> {
  const rows: FactPage["data"] = [];
  let cursor: string | undefined;
  do {
    const query = { file_id: fileId, page_size: 2, cursor };
    const page: FactPage = told<FactPage>(
      await client.GET("/api/data-sync/facts/{domain}", { params: { path: { domain: "orders" }, query } }),
    );
    rows.push(...page.data);
    cursor = "next_cursor" in page.pagination ? (page.pagination.next_cursor ?? undefined) : undefined;
  } while (cursor !== undefined);
  return rows;
}
