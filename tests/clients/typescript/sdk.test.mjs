// The official TypeScript SDK against the real binary, in each version.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TOKEN, ZONE, startServer } from './server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

let number = 0;
/** A host that no other test uses. */
const newHost = () => `test-${(number += 1)}.example.com`;

for (const version of ['7.1.0', '7.3.0']) {
  describe(`cloudflare ${version}`, async () => {
    const { default: Cloudflare, BadRequestError, NotFoundError, PermissionDeniedError } = await import(
      `cloudflare-${version}`
    );
    // Left to itself the SDK asks again after a failure of the server, which no test would then see.
    const sdk = (credentials) => new Cloudflare({ baseURL: server.baseURL, maxRetries: 0, ...credentials });
    const withToken = (apiToken) => sdk({ apiToken, apiKey: null, apiEmail: null });
    const client = () => withToken(TOKEN);
    const add = (sdk, host, endpoint = '/', method = 'GET', zone_id = ZONE) =>
      sdk.apiGateway.operations.create({ zone_id, endpoint, host, method });
    const list = async (query) => {
      const found = [];
      for await (const operation of client().apiGateway.operations.list({ zone_id: ZONE, ...query })) {
        found.push(`${operation.method} ${operation.endpoint}`);
      }
      return found;
    };
    const addThree = async (host) => {
      await add(client(), host, '/users', 'POST');
      await add(client(), host, '/users', 'GET');
      await add(client(), `a-${host}`, '/a/{id}', 'PUT');
      return [host, `a-${host}`];
    };
    const many = (host, count) =>
      Array.from({ length: count }, (_, index) => ({ host, endpoint: `/${count - index}`, method: 'GET' }));

    test('a new operation is answered in canonical form', async () => {
      const host = newHost();
      const operation = await add(client(), host, '/api/v1/users/{id}');
      assert.equal(operation.endpoint, '/api/v1/users/{var1}');
      assert.equal(operation.operation_id.length, 36);
      assert.equal(operation.features, undefined);
    });

    test('adding again keeps the id and moves the time', async () => {
      const host = newHost();
      const first = await add(client(), host, '/api/v1/users/{id}');
      const second = await add(client(), host.toUpperCase(), '/api//v1/./users/{other}');
      assert.equal(second.operation_id, first.operation_id);
      assert.ok(second.last_updated > first.last_updated);
    });

    for (const per_page of [5, 20]) {
      test(`every operation is on one page of ${per_page}`, async () => {
        const host = newHost();
        const expected = Array.from({ length: 45 }, (_, index) => `/${String(index).padStart(2, '0')}`);
        for (const endpoint of expected) await add(client(), host, endpoint);
        assert.deepEqual(await list({ host: [host], per_page }), expected.map((endpoint) => `GET ${endpoint}`));
      });
    }

    for (const [what, query, expected] of [
      ['one method', { method: ['POST'] }, ['POST /users']],
      ['either of two methods', { method: ['POST', 'PUT'] }, ['POST /users', 'PUT /a/{var1}']],
      ['a part of the endpoint', { endpoint: '/{var1}' }, ['PUT /a/{var1}']],
      ['endpoint and method', { endpoint: '/users', method: ['GET'] }, ['GET /users']],
    ]) {
      test(`a list is filtered by ${what}`, async () => {
        const host = await addThree(newHost());
        assert.deepEqual((await list({ host, ...query })).sort(), expected);
      });
    }

    test('a list is of the hosts that were asked for', async () => {
      const [, other] = await addThree(newHost());
      assert.deepEqual(await list({ host: [other] }), ['PUT /a/{var1}']);
      assert.deepEqual(await list({ host: ['nobody.example.com'] }), []);
    });

    for (const order of ['method', 'host', 'endpoint']) {
      for (const direction of ['asc', 'desc']) {
        test(`a list is sorted by ${order}, ${direction}`, async () => {
          const host = await addThree(newHost());
          const page = await client().apiGateway.operations.list({ zone_id: ZONE, host, order, direction });
          const values = page.result.map((operation) => operation[order]);
          assert.equal(values.length, 3);
          assert.deepEqual(values, direction === 'asc' ? [...values].sort() : [...values].sort().reverse());
        });
      }
    }

    test('an order that the server does not offer is refused', async () => {
      const query = { zone_id: ZONE, order: 'thresholds.$key', feature: ['thresholds'] };
      await assert.rejects(() => client().apiGateway.operations.list(query), BadRequestError);
    });

    test('a get answers what the create answered', async () => {
      const created = await add(client(), newHost());
      const got = await client().apiGateway.operations.get(created.operation_id, { zone_id: ZONE });
      assert.deepEqual({ ...got }, { ...created });
    });

    test('only the features that were asked for are there', async () => {
      const created = await add(client(), newHost());
      const featured = await client().apiGateway.operations.get(created.operation_id, {
        zone_id: ZONE,
        feature: ['thresholds', 'schema_info'],
      });
      const schema_info = { learned_available: false, mitigation_action: 'none' };
      assert.deepEqual(featured.features, { thresholds: {}, schema_info });
    });

    test('thresholds and their intervals are there once sessions were seen', async (t) => {
      const host = newHost();
      const created = await add(client(), host, '/visits/{number}');
      const folder = mkdtempSync(join(tmpdir(), 'demilune-log-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const begun = Date.now() / 1000 - 3 * 3600;
      const lines = Array.from({ length: 60 }, (_, session) => {
        const request_headers = { 'X-Client': `client-${session}` };
        return JSON.stringify({ time: begun + session, method: 'GET', host, path: '/visits/1', status: 200, request_headers });
      });
      writeFileSync(join(folder, 'visits.jsonl'), lines.join('\n'));
      server.command('traffic', 'import', '--zone', ZONE, '--session', 'X-Client', join(folder, 'visits.jsonl'));
      const { features } = await client().apiGateway.operations.get(created.operation_id, {
        zone_id: ZONE,
        feature: ['thresholds', 'confidence_intervals'],
      });
      assert.equal(features.thresholds.data_points, 60);
      const { p95 } = features.confidence_intervals.suggested_threshold.confidence_intervals;
      const suggested = features.thresholds.suggested_threshold;
      assert.ok(p95.lower <= suggested && suggested <= p95.upper, JSON.stringify(features));
      assert.deepEqual((await add(client(), host, '/visits/{number}')).features, features);
    });

    test('an operation without a learned schema says so', async () => {
      const { operation_id } = await add(client(), newHost(), '/users/{id}');
      const query = { zone_id: ZONE, feature: ['parameter_schemas'], with_schemas: true };
      const got = await client().apiGateway.operations.get(operation_id, query);
      assert.deepEqual(got.features, { parameter_schemas: {} });
      assert.deepEqual(got.schemas, { learned: null, uploaded: null });
    });

    test('each host has a document', async () => {
      const host = newHost();
      await add(client(), host, '/users/{id}');
      await add(client(), host, '/users', 'POST');
      await add(client(), `a-${host}`);
      const query = { zone_id: ZONE, host: [host], feature: ['thresholds'], include_schema_kind: ['learned'] };
      const { schemas, timestamp } = await client().apiGateway.schemas.list(query);
      assert.ok(timestamp.endsWith('Z'));
      assert.equal(schemas.length, 1);
      assert.deepEqual(schemas[0].servers, [{ url: `https://${host}` }]);
      assert.deepEqual(Object.keys(schemas[0].paths), ['/users', '/users/{var1}']);
      const [parameter] = schemas[0].paths['/users/{var1}'].get.parameters;
      assert.deepEqual(parameter, { name: 'var1', in: 'path', required: true, schema: { type: 'string' } });
    });

    test('documents of something else are refused', async () => {
      const query = { zone_id: ZONE, include_schema_kind: ['uploaded'] };
      await assert.rejects(() => client().apiGateway.schemas.list(query), BadRequestError);
    });

    test('a deleted operation is not found', async () => {
      const { operation_id } = await add(client(), newHost());
      const deleted = await client().apiGateway.operations.delete(operation_id, { zone_id: ZONE });
      assert.equal(deleted.success, true);
      for (const verb of ['get', 'delete']) {
        const again = () => client().apiGateway.operations[verb](operation_id, { zone_id: ZONE });
        await assert.rejects(again, (error) => error instanceof NotFoundError && error.errors[0].code === 10404);
      }
    });

    test('several operations are added in order', async () => {
      const body = many(newHost(), 20);
      const added = await client().apiGateway.operations.bulkCreate({ zone_id: ZONE, body });
      assert.deepEqual(added.result.map(({ endpoint }) => endpoint), body.map(({ endpoint }) => endpoint));
    });

    test('more than twenty operations are refused', async () => {
      const host = newHost();
      const body = many(host, 21);
      await assert.rejects(() => client().apiGateway.operations.bulkCreate({ zone_id: ZONE, body }), BadRequestError);
      assert.deepEqual(await list({ host: [host] }), []);
    });

    test('the bulk delete of the SDK sends no body and deletes nothing', async () => {
      const host = newHost();
      await add(client(), host);
      await assert.rejects(() => client().apiGateway.operations.bulkDelete({ zone_id: ZONE }), BadRequestError);
      assert.equal((await list({ host: [host] })).length, 1);
    });

    test('a bulk delete with a body deletes', async () => {
      const host = newHost();
      const { operation_id } = await add(client(), host);
      const answer = await fetch(`${server.baseURL}/zones/${ZONE}/api_gateway/operations`, {
        method: 'DELETE',
        headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
        body: JSON.stringify([{ operation_id }]),
      });
      assert.equal(answer.status, 200);
      assert.deepEqual(await list({ host: [host] }), []);
    });

    test('a defect is named with its place', async () => {
      await assert.rejects(add(client(), 'https://example.com', 'no-slash'), (error) => {
        assert.ok(error instanceof BadRequestError);
        assert.deepEqual(error.errors.map(({ source }) => source.pointer), ['/endpoint', '/host']);
        return true;
      });
    });

    const configure = (sdk, auth_id_characteristics, query = {}) =>
      sdk.apiGateway.configurations.update({ zone_id: ZONE, auth_id_characteristics, ...query });
    const configuration = async (query = {}) =>
      (await client().apiGateway.configurations.get({ zone_id: ZONE, ...query })).auth_id_characteristics;
    const given = [
      { type: 'cookie', name: 'SID' },
      { type: 'header', name: 'X-Api-Key' },
    ];
    const normalized = [given[0], { type: 'header', name: 'x-api-key' }];

    test('session identifiers keep their order and spelling', async () => {
      const updated = await configure(client(), given);
      assert.deepEqual(updated.auth_id_characteristics, given);
      assert.deepEqual(await configuration(), given);
    });

    test('header names are normalized on request', async () => {
      await configure(client(), given);
      assert.deepEqual(await configuration({ normalize: true }), normalized);
      const updated = await configure(client(), given, { normalize: true });
      assert.deepEqual(updated.auth_id_characteristics, normalized);
      assert.deepEqual(await configuration(), normalized);
    });

    test('an empty list removes every session identifier', async () => {
      await configure(client(), given);
      await configure(client(), []);
      assert.deepEqual(await configuration(), []);
    });

    test('a claim of a token is refused as a session identifier', async () => {
      const jwt = { type: 'jwt', name: 'id:$.sub' };
      await assert.rejects(configure(client(), [...given, jwt]), (error) => {
        assert.ok(error instanceof BadRequestError);
        assert.deepEqual(error.errors.map(({ source }) => source.pointer), ['/auth_id_characteristics/2/type']);
        return true;
      });
    });

    const fallthrough = (sdk, hosts) =>
      sdk.apiGateway.expressionTemplate.fallthrough.create({ zone_id: ZONE, hosts });

    test('an expression catches what no operation fits', async () => {
      const made = await fallthrough(client(), ['a.example.com', '{zone}.domain1.tld']);
      assert.equal(made.title, 'Fallthrough Expression for [a.example.com, {hostVar1}.domain1.tld]');
      assert.equal(
        made.expression,
        '(cf.api_gateway.fallthrough_detected and ' +
          '(http.host in {"a.example.com"} or http.host matches "^[^.]+\\\\.domain1\\\\.tld$"))',
      );
    });

    test('an expression is for at least one host', async () => {
      await assert.rejects(fallthrough(client(), []), BadRequestError);
    });

    test('an unknown token is forbidden', async () => {
      await assert.rejects(add(withToken('nobody-has-this-token-0123456789'), newHost()), PermissionDeniedError);
    });

    const reader = () =>
      withToken(server.command('token', 'create', '--group', 'Account API Gateway Read').token);

    test('a token that may only read reads', async () => {
      const host = newHost();
      await add(client(), host);
      const page = await reader().apiGateway.operations.list({ zone_id: ZONE, host: [host] });
      assert.equal(page.result.length, 1);
    });

    test('a token that may only read does not write', async () => {
      const host = newHost();
      await assert.rejects(add(reader(), host), PermissionDeniedError);
      await assert.rejects(configure(reader(), []), PermissionDeniedError);
      await assert.rejects(fallthrough(reader(), [host]), PermissionDeniedError);
      assert.deepEqual(await list({ host: [host] }), []);
    });

    const scoped = () =>
      withToken(server.command('token', 'create', '--group', 'Domain API Gateway', '--zone', ZONE).token);

    test('a token of one zone works there', async () => {
      const host = newHost();
      assert.equal((await add(scoped(), host)).host, host);
    });

    test('a token of one zone is none in another', async () => {
      const host = newHost();
      const { id: zone_id } = server.command('zone', 'create', host);
      const elsewhere = scoped();
      await assert.rejects(add(elsewhere, host, '/', 'GET', zone_id), PermissionDeniedError);
      await assert.rejects(() => elsewhere.apiGateway.operations.list({ zone_id }), PermissionDeniedError);
    });

    test('e-mail and key act with every group', async () => {
      const apiEmail = `${newHost()}@example.com`;
      const { key } = server.command('user', 'create', '--email', apiEmail);
      const byKey = sdk({ apiToken: null, apiEmail, apiKey: key });
      const host = newHost();
      assert.equal((await add(byKey, host)).host, host);
    });

    test('an unknown zone is not found', async () => {
      await assert.rejects(add(client(), newHost(), '/', 'GET', 'f'.repeat(32)), NotFoundError);
    });

    test('many at once make one operation', async () => {
      const host = newHost();
      const added = await Promise.all(Array.from({ length: 64 }, () => add(client(), host, '/same/{id}')));
      assert.equal(added.length, 64);
      assert.equal(new Set(added.map(({ operation_id }) => operation_id)).size, 1);
    });
  });
}
