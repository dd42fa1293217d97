// Conditional writes and updates through the JavaScript SDK against CLEAVE_ENDPOINT.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
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
const TableName = `js-writes-${process.pid}-${Date.now()}`;

before(async () => {
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 2 }, { TableName });
});

after(async () => {
  await client.send(new DeleteTableCommand({ TableName }));
  client.destroy();
});

const get = async (pk) => (await documents.send(new GetCommand({ TableName, Key: { pk }, ConsistentRead: true }))).Item;

test("a failed condition throws its class, with the item when asked for", async () => {
  const item = { pk: "condition", tags: new Set(["a", "b"]), deep: { steps: [1, "two"] } };
  await documents.send(new PutCommand({ TableName, Item: item }));
  const put = {
    TableName,
    Item: { pk: "condition" },
    ConditionExpression: "attribute_not_exists(pk)",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  };
  await assert.rejects(documents.send(new PutCommand(put)), (error) => {
    assert.ok(error instanceof ConditionalCheckFailedException);
    assert.equal(error.message, "The conditional request failed");
    assert.equal(error.Item.pk.S ?? error.Item.pk, "condition");
    return true;
  });
  delete put.ReturnValuesOnConditionCheckFailure;
  await assert.rejects(documents.send(new PutCommand(put)), (error) => error.Item === undefined);
  assert.deepEqual(await get("condition"), item);
  const remove = {
    TableName,
    Key: { pk: "condition" },
    ConditionExpression: "deep.steps[1] = :two AND contains(tags, :a)",
    ExpressionAttributeValues: { ":two": "two", ":a": "a" },
  };
  await documents.send(new DeleteCommand(remove));
  assert.equal(await get("condition"), undefined);
});

test("documents are updated and returned", async () => {
  const Key = { pk: "update" };
  const update = {
    TableName,
    Key,
    UpdateExpression: "SET #l = list_append(if_not_exists(#l, :none), :new), m = :m ADD n :one, tags :tags",
    ExpressionAttributeNames: { "#l": "list" },
    ExpressionAttributeValues: { ":none": [], ":new": ["x"], ":m": { a: null }, ":one": 1, ":tags": new Set(["t"]) },
    ReturnValues: "ALL_NEW",
  };
  const first = await documents.send(new UpdateCommand(update));
  assert.deepEqual(first.Attributes, { pk: "update", list: ["x"], m: { a: null }, n: 1, tags: new Set(["t"]) });
  const second = await documents.send(new UpdateCommand({ ...update, ReturnValues: "UPDATED_NEW" }));
  assert.deepEqual(second.Attributes, { list: ["x", "x"], m: { a: null }, n: 2, tags: new Set(["t"]) });
  const third = await documents.send(
    new UpdateCommand({
      TableName,
      Key,
      UpdateExpression: "REMOVE #l[0], m.a DELETE tags :tags",
      ExpressionAttributeNames: { "#l": "list" },
      ExpressionAttributeValues: { ":tags": new Set(["t"]) },
      ReturnValues: "ALL_NEW",
    }),
  );
  assert.deepEqual(third.Attributes, { pk: "update", list: ["x"], m: {}, n: 2 });
});

test("concurrent counters count every increment once", async () => {
  const seen = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const answer = await client.send(
        new UpdateItemCommand({
          TableName,
          Key: { pk: { S: "counter" } },
          UpdateExpression: "ADD n :one",
          ExpressionAttributeValues: { ":one": { N: "1" } },
          ReturnValues: "UPDATED_NEW",
        }),
      );
      return Number(answer.Attributes.n.N);
    }),
  );
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});

test("of concurrent creators one wins", async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, by) =>
      documents.send(
        new PutCommand({ TableName, Item: { pk: "race", by }, ConditionExpression: "attribute_not_exists(pk)" }),
      ),
    ),
  );
  const winners = outcomes.flatMap((outcome, by) => (outcome.status === "fulfilled" ? [by] : []));
  assert.equal(winners.length, 1);
  for (const outcome of outcomes)
    if (outcome.status === "rejected") assert.equal(outcome.reason.name, "ConditionalCheckFailedException");
  assert.equal((await get("race")).by, winners[0]);
});

test("a batch puts and deletes", async () => {
  const put = (pk) => ({ PutRequest: { Item: { pk, n: 1 } } });
  const first = new BatchWriteCommand({ RequestItems: { [TableName]: ["a", "b"].map(put) } });
  assert.deepEqual((await documents.send(first)).UnprocessedItems, {});
  const answer = await documents.send(
    new BatchWriteCommand({
      RequestItems: { [TableName]: [{ DeleteRequest: { Key: { pk: "a" } } }, put("c")] },
      ReturnConsumedCapacity: "TOTAL",
    }),
  );
  assert.deepEqual(answer.ConsumedCapacity, [{ TableName, CapacityUnits: 2 }]);
  assert.equal(await get("a"), undefined);
  assert.deepEqual(await get("c"), { pk: "c", n: 1 });
  await assert.rejects(
    documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: [put("d"), put("d")] } })),
    { name: "ValidationException", message: "Provided list of item keys contains duplicates" },
  );
});

test("old parameters and what may not be", async () => {
  await client.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: "old" } },
      AttributeUpdates: { a: { Value: { S: "x" } }, n: { Action: "ADD", Value: { N: "2" } } },
      Expected: { pk: { Exists: false } },
    }),
  );
  assert.deepEqual(await get("old"), { pk: "old", a: "x", n: 2 });
  await assert.rejects(
    client.send(
      new PutItemCommand({ TableName, Item: { pk: { S: "old" } }, Expected: { n: { Value: { N: "3" } } } }),
    ),
    { name: "ConditionalCheckFailedException" },
  );
  await assert.rejects(
    documents.send(
      new UpdateCommand({
        TableName,
        Key: { pk: "old" },
        UpdateExpression: "SET pk = :v",
        ExpressionAttributeValues: { ":v": "x" },
      }),
    ),
    {
      name: "ValidationException",
      message:
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
    },
  );
});
