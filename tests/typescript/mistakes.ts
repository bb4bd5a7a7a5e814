/** What must not compile: each line below the mark is a mistake that the document's types have to find. */
import type { Client } from "openapi-fetch";
import type { components, paths } from "./api";

export async function mistakes(client: Client<paths>, progress: components["schemas"]["Progress"]): Promise<void> {
  // @ts-expect-error an address that is none
  await client.GET("/api/data-sync/nothing");
  // @ts-expect-error a method that the address does not have
  await client.DELETE("/api/data-sync/tasks");
  // @ts-expect-error a misspelt field
  await client.POST("/api/data-sync/single", { body: { fileId: 1 } });
  // @ts-expect-error a text where a number is asked for
  await client.POST("/api/data-sync/single", { body: { file_id: "1" } });
  // @ts-expect-error nothing where a body is asked for
  await client.POST("/api/data-sync/single");
  // @ts-expect-error a filter that the list does not have
  await client.GET("/api/data-sync/tasks", { params: { query: { colour: "red" } } });
  // @ts-expect-error a state that no task has
  progress.status === "sleeping";
  // @ts-expect-error a field that the answer does not have
  progress.speed;
  const { data } = await client.GET("/api/auth/me");
  // @ts-expect-error an answer that may be an error
  data.data.username;
}
