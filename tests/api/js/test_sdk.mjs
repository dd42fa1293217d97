// The JavaScript SDK against CLEAVE_ENDPOINT: the plain client, the document client, waiters, pages, errors.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeEndpointsCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateTableCommand,
  paginateListTables,
  paginateQuery,
  paginateScan,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery as paginateDocuments,
} from "@aws-sdk/lib-dynamodb";

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
const table = `js-${process.pid}-${Date.now()}`;
const patience = { client, maxWaitTime: 30, minDelay: 1, maxDelay: 2 };

before(async () => {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "N" },
      ],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  await waitUntilTableExists(patience, { TableName: table });
});

after(async () => {
  await client.send(new DeleteTableCommand({ TableName: table }));
  const result = await waitUntilTableNotExists(patience, { TableName: table });
  assert.equal(result.state, "SUCCESS");
  client.destroy();
});

test("a table describes itself", async () => {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  assert.equal(Table.TableStatus, "ACTIVE");
  assert.ok(Table.CreationDateTime instanceof Date);
  assert.deepEqual(
    Table.KeySchema.map((key) => [key.AttributeName, key.KeyType]),
    [
      ["pk", "HASH"],
      ["sk", "RANGE"],
    ],
  );
});

test("pages of one table each list every table once", async () => {
  const names = [];
  for await (const page of paginateListTables({ client, pageSize: 1 }, {})) names.push(...page.TableNames);
  assert.equal(names.filter((name) => name === table).length, 1);
  assert.equal(new Set(names).size, names.length);
});

test("a table has tags, and a name that is its ARN", async () => {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  const ResourceArn = Table.TableArn;
  const Tags = [
    { Key: "team", Value: "blue" },
    { Key: "cost", Value: "" },
  ];
  await client.send(new TagResourceCommand({ ResourceArn, Tags }));
  assert.deepEqual((await client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags, Tags);
  await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["team"] }));
  assert.deepEqual((await client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags, Tags.slice(1));
  const again = await client.send(new DescribeTableCommand({ TableName: ResourceArn }));
  assert.equal(again.Table.TableId, Table.TableId);
  await assert.rejects(client.send(new ListTagsOfResourceCommand({ ResourceArn: `${ResourceArn}x` })), {
    name: "ResourceNotFoundException",
  });
});

test("a table's throughput can be changed", async () => {
  const units = { ReadCapacityUnits: 4, WriteCapacityUnits: 5 };
  await client.send(
    new UpdateTableCommand({ TableName: table, BillingMode: "PROVISIONED", ProvisionedThroughput: units }),
  );
  await waitUntilTableExists(patience, { TableName: table });
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  assert.equal(Table.ProvisionedThroughput.WriteCapacityUnits, 5);
});

test("the ten types pass through the plain client", async () => {
  const item = {
    pk: { S: "plain" },
    sk: { N: "1" },
    number: { N: "12345678901234567890123456789012345678" },
    bytes: { B: new Uint8Array([0, 1, 254, 255]) },
    yes: { BOOL: true },
    nothing: { NULL: true },
    list: { L: [{ S: "" }, { N: "-1.5" }] },
    map: { M: { grün: { S: "😀" } } },
    texts: { SS: ["a", "b"] },
    numbers: { NS: ["1", "2"] },
    blobs: { BS: [new Uint8Array([1]), new Uint8Array([2])] },
  };
  await client.send(new PutItemCommand({ TableName: table, Item: item }));
  const key = { pk: item.pk, sk: item.sk };
  const found = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
  for (const set of ["texts", "numbers"]) Object.values(found.Item[set])[0].sort();
  assert.deepEqual(found.Item, item);
});

test("documents pass through the document client", async () => {
  const item = { pk: "document", sk: 1, list: [1, "two", null, { three: false }], set: new Set(["x", "y"]) };
  await documents.send(new PutCommand({ TableName: table, Item: item }));
  const key = { pk: item.pk, sk: item.sk };
  const found = await documents.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true }));
  assert.deepEqual(found.Item, item);
  const gone = await documents.send(new DeleteCommand({ TableName: table, Key: key, ReturnValues: "ALL_OLD" }));
  assert.deepEqual(gone.Attributes, item);
});

const range = Array.from({ length: 25 }, (_, index) => index);
const pagesOf = async (paginator) => {
  const items = [];
  for await (const page of paginator) items.push(...page.Items);
  return items.map((item) => Number(item.sk.N ?? item.sk));
};

test("queries and scans page through", async () => {
  for (const sk of range) {
    await documents.send(new PutCommand({ TableName: table, Item: { pk: "pages", sk, even: sk % 2 === 0 } }));
  }
  const query = {
    TableName: table,
    KeyConditionExpression: "pk = :p",
    ExpressionAttributeValues: { ":p": { S: "pages" } },
    ConsistentRead: true,
  };
  for (const pageSize of [1, 4, 25, 26]) {
    assert.deepEqual(await pagesOf(paginateQuery({ client, pageSize }, query)), range);
    const backward = { ...query, ScanIndexForward: false };
    assert.deepEqual(await pagesOf(paginateQuery({ client, pageSize }, backward)), [...range].reverse());
    const scan = {
      TableName: table,
      FilterExpression: "pk = :p",
      ExpressionAttributeValues: query.ExpressionAttributeValues,
      ConsistentRead: true,
    };
    assert.deepEqual(await pagesOf(paginateScan({ client, pageSize }, scan)), range);
  }
});

test("document queries filter, and batches find", async () => {
  const query = {
    TableName: table,
    KeyConditionExpression: "pk = :p AND sk BETWEEN :a AND :b",
    FilterExpression: "even = :e",
    ProjectionExpression: "sk",
    ExpressionAttributeValues: { ":p": "pages", ":a": 3, ":b": 9, ":e": true },
    ConsistentRead: true,
  };
  const found = [];
  for await (const page of paginateDocuments({ client: documents, pageSize: 3 }, query)) found.push(...page.Items);
  assert.deepEqual(found, [{ sk: 4 }, { sk: 6 }, { sk: 8 }]);
  const batch = await documents.send(
    new BatchGetCommand({
      RequestItems: {
        [table]: {
          Keys: [7, 8, 99].map((sk) => ({ pk: "pages", sk })),
          ConsistentRead: true,
          ProjectionExpression: "sk, even",
        },
      },
    }),
  );
  const items = [...batch.Responses[table]].sort((a, b) => a.sk - b.sk);
  assert.deepEqual(items, [{ sk: 7, even: false }, { sk: 8, even: true }]);
  assert.deepEqual(batch.UnprocessedKeys, {});
});

test("errors have their classes and messages", async () => {
  await assert.rejects(client.send(new DescribeTableCommand({ TableName: "nowhere-js" })), {
    name: "ResourceNotFoundException",
    message: "Requested resource not found: Table: nowhere-js not found",
  });
  await assert.rejects(
    client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: "half a key" } } })),
    { name: "ValidationException" },
  );
});

test("there is one endpoint", async () => {
  const { Endpoints } = await client.send(new DescribeEndpointsCommand({}));
  assert.equal(Endpoints.length, 1);
});
