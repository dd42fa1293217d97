// CLEAVE_ENDPOINT through Node's own HTTP client, which reads while it still sends.
import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import { test } from "node:test";

const endpoint = new URL(process.env.CLEAVE_ENDPOINT);
const { Agent, request } = endpoint.protocol === "https:" ? https : http;

function post(body, agent) {
  return new Promise((resolve, reject) => {
    const sent = request(endpoint, { method: "POST", agent }, (response) => {
      response.on("error", reject);
      response.on("end", () => resolve(response));
      response.resume();
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

for (const keepAlive of [true, false]) {
  test(`a body that is too large gets its 413, keepAlive ${keepAlive}`, async () => {
    const agent = new Agent({ keepAlive });
    for (let i = 0; i < 5; i++) {
      const response = await post(Buffer.alloc(17 * 1024 * 1024, "a"), agent);
      assert.equal(response.statusCode, 413);
    }
    assert.equal((await post("{}", agent)).statusCode, 404); // the next request is heard
    agent.destroy();
  });
}
