// Reads of secondary indexes through the JavaScript SDK against CLEAVE_ENDPOINT.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  paginateScan,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand, QueryCommand, ScanCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";

const client = new DynamoDBClient({
  endpoint: process.env.CLEAVE_ENDPOINT,
  region: process.env.AWS_DEFAULT_REGION,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  },
  maxAttempts: 1,
});
const documents = DynamoDBDocumentClient.from(client);
const TableName = `js-indexes-${process.pid}-${Date.now()}`;
const count = 24;
const items = Array.from({ length: count }, (_, sk) => ({
  pk: "p",
  sk,
  rank: sk % 5,
  group: "ab"[sk % 2],
  text: `text ${sk}`,
}));
const byRank = [...items].sort((a, b) => a.rank - b.rank || a.sk - b.sk);

const key = (...names) => names.map((AttributeName, i) => ({ AttributeName, KeyType: i ? "RANGE" : "HASH" }));

before(async () => {
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: key("pk", "sk"),
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "N" },
        { AttributeName: "rank", AttributeType: "N" },
        { AttributeName: "group", AttributeType: "S" },
      ],
      BillingMode: "PAY_PER_REQUEST",
      LocalSecondaryIndexes: [
        { IndexName: "by-rank", KeySchema: key("pk", "rank"), Projection: { ProjectionType: "KEYS_ONLY" } },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-group",
          KeySchema: key("group", "rank"),
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["text"] },
        },
        {
          IndexName: "by-several",
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "group", KeyType: "HASH" },
            { AttributeName: "rank", KeyType: "RANGE" },
            { AttributeName: "sk", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 2 }, { TableName });
  for (const Item of items) await documents.send(new PutCommand({ TableName, Item }));
  await untilFed("by-group");
  await untilFed("by-several");
});

after(async () => {
  await client.send(new DeleteTableCommand({ TableName }));
  client.destroy();
});

// A cluster feeds a global index a moment after the write.
async function untilFed(IndexName) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { Count } = await documents.send(new ScanCommand({ TableName, IndexName, Select: "COUNT" }));
    if (Count === count) return;
    assert.ok(Date.now() < deadline, `${IndexName} holds ${Count} rows`);
    await pause(50);
  }
}

async function collect(pages) {
  const found = [];
  for await (const page of pages) found.push(...page.Items);
  return found;
}

const ofRank = {
  TableName,
  IndexName: "by-rank",
  KeyConditionExpression: "pk = :p",
  ExpressionAttributeValues: { ":p": "p" },
};
const ofGroup = {
  TableName,
  IndexName: "by-group",
  KeyConditionExpression: "#g = :g AND #r BETWEEN :low AND :high",
  ExpressionAttributeNames: { "#g": "group", "#r": "rank" },
  ExpressionAttributeValues: { ":g": "b", ":low": 1, ":high": 3 },
};

test("pages of a local index are the whole, forward and backward", async () => {
  const keys = byRank.map(({ pk, sk, rank }) => ({ pk, sk, rank }));
  for (const ScanIndexForward of [true, false]) {
    const expected = ScanIndexForward ? keys : [...keys].reverse();
    for (const pageSize of [1, 5, count, count + 1]) {
      const query = { ...ofRank, ScanIndexForward, ConsistentRead: true };
      assert.deepEqual(await collect(paginateQuery({ client: documents, pageSize }, query)), expected);
    }
  }
});

test("whole items come beside a local index", async () => {
  const { Items } = await documents.send(new QueryCommand({ ...ofRank, Select: "ALL_ATTRIBUTES" }));
  assert.deepEqual(Items, byRank);
});

test("pages of a global index are what it projects of the condition's items", async () => {
  const expected = byRank.filter(({ group, rank }) => group === "b" && rank >= 1 && rank <= 3);
  for (const pageSize of [1, 2, count]) {
    assert.deepEqual(await collect(paginateQuery({ client: documents, pageSize }, ofGroup)), expected);
  }
  const scanned = await collect(paginateScan({ client, pageSize: 7 }, { TableName, IndexName: "by-group" }));
  assert.equal(scanned.length, count);
});

test("a key of several attributes gives a condition for each of the first ones", async () => {
  const query = {
    TableName,
    IndexName: "by-several",
    KeyConditionExpression: "pk = :p AND #g = :g",
    ExpressionAttributeNames: { "#g": "group" },
    ExpressionAttributeValues: { ":p": "p", ":g": "a" },
  };
  const ofA = byRank.filter(({ group }) => group === "a");
  for (const pageSize of [1, 5, count]) {
    assert.deepEqual(await collect(paginateQuery({ client: documents, pageSize }, { ...query })), ofA);
  }
  query.KeyConditionExpression += " AND #r = :r AND sk > :low";
  query.ExpressionAttributeNames["#r"] = "rank";
  Object.assign(query.ExpressionAttributeValues, { ":r": 2, ":low": 5 });
  const { Items } = await documents.send(new QueryCommand(query));
  assert.deepEqual(Items, ofA.filter(({ rank, sk }) => rank === 2 && sk > 5));
  const incomplete = { ...query, KeyConditionExpression: "pk = :p AND #r = :r AND sk > :low AND :g = :g" };
  await assert.rejects(documents.send(new QueryCommand(incomplete)), { name: "ValidationException" });
});

test("an index's share of the cost is told", async () => {
  const cost = { ReturnConsumedCapacity: "INDEXES" };
  const local = await documents.send(new QueryCommand({ ...ofRank, ...cost }));
  assert.deepEqual(local.ConsumedCapacity.LocalSecondaryIndexes, { "by-rank": { CapacityUnits: 0.5 } });
  const global = await documents.send(new QueryCommand({ ...ofGroup, ...cost }));
  assert.deepEqual(global.ConsumedCapacity.GlobalSecondaryIndexes, { "by-group": { CapacityUnits: 0.5 } });
  assert.equal(global.ConsumedCapacity.Table.CapacityUnits, 0);
});

test("what an index cannot give is refused", async () => {
  const refused = (query) => assert.rejects(documents.send(new QueryCommand(query)), { name: "ValidationException" });
  await refused({ ...ofGroup, ConsistentRead: true });
  await refused({ ...ofGroup, Select: "ALL_ATTRIBUTES" });
  await refused({ ...ofRank, IndexName: "nobody" });
});
