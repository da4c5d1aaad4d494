// Uploaded schemas and their validation: the official TypeScript SDK against the real binary, in each version.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TOKEN, startServer } from './server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

let number = 0;
const DOCUMENT = `openapi: 3.0.3
info: {title: Users, version: "1"}
servers: [{url: "https://api.example.com/v1"}]
paths:
  /users/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    delete: {}
`;
const BROKEN = DOCUMENT.replace('in: path', 'in: somewhere').replace('delete:', 'query:');

for (const version of ['7.1.0', '7.3.0']) {
  describe(`cloudflare ${version}`, async () => {
    const sdk = await import(`cloudflare-${version}`);
    const { default: Cloudflare, toFile, BadRequestError, NotFoundError, PermissionDeniedError } = sdk;
    const withToken = (apiToken) =>
      new Cloudflare({ baseURL: server.baseURL, maxRetries: 0, apiToken, apiKey: null, apiEmail: null });
    const client = () => withToken(TOKEN);
    /** A zone that no other test uses: settings and schemas belong to a zone. */
    const newZone = () => server.command('zone', 'create', `validation-${(number += 1)}.example`).id;
    const add = (zone_id, method = 'GET') =>
      client().apiGateway.operations.create({ zone_id, endpoint: '/v1/users/{user}', host: 'api.example.com', method });
    const upload = async (zone_id, source = DOCUMENT, members = {}) =>
      client().apiGateway.userSchemas.create({
        zone_id,
        file: await toFile(Buffer.from(source), 'users.yaml'),
        kind: 'openapi_v3',
        ...members,
      });
    const create = (zone_id, members = {}) =>
      client().schemaValidation.schemas.create({
        zone_id,
        kind: 'openapi_v3',
        name: 'users.yaml',
        source: DOCUMENT,
        validation_enabled: true,
        ...members,
      });
    const all = async (pages) => {
      const found = [];
      for await (const item of pages) found.push(item);
      return found;
    };
    const isNotFound = (code) => (error) => error instanceof NotFoundError && error.errors[0].code === code;

    test('a schema is uploaded as a form', async () => {
      const zone_id = newZone();
      const { schema, upload_details } = await upload(zone_id);
      assert.equal(schema.source, DOCUMENT);
      assert.deepEqual([schema.name, schema.kind, schema.validation_enabled], ['users.yaml', 'openapi_v3', false]);
      const [warning] = upload_details.warnings;
      assert.deepEqual([warning.code, warning.locations], [21, ['.paths["/users/{id}"].delete']]);
      const named = await upload(zone_id, DOCUMENT, { name: 'other', validation_enabled: 'true' });
      assert.deepEqual([named.schema.name, named.schema.validation_enabled], ['other', true]);
    });

    test('a document that cannot be used is explained', async () => {
      const zone_id = newZone();
      for (const call of [() => upload(zone_id, BROKEN), () => create(zone_id, { source: BROKEN })]) {
        await assert.rejects(call, (error) => {
          assert.ok(error instanceof BadRequestError);
          assert.equal(error.errors[0].code, 21400);
          return true;
        });
      }
      assert.deepEqual(await all(client().schemaValidation.schemas.list({ zone_id })), []);
    });

    test('an older schema is read, switched on and removed', async () => {
      const zone_id = newZone();
      const { schema_id } = await create(zone_id, { validation_enabled: false });
      const calls = client().apiGateway.userSchemas;
      assert.equal((await calls.get(schema_id, { zone_id })).source, DOCUMENT);
      assert.equal((await calls.get(schema_id, { zone_id, omit_source: true })).source, undefined);
      assert.equal((await calls.edit(schema_id, { zone_id, validation_enabled: true })).validation_enabled, true);
      assert.equal((await calls.delete(schema_id, { zone_id })).success, true);
      await assert.rejects(() => calls.get(schema_id, { zone_id }), isNotFound(19400));
      await assert.rejects(() => calls.delete(schema_id, { zone_id }), isNotFound(19400));
    });

    test('a schema is created, read, switched and removed', async () => {
      const zone_id = newZone();
      const created = await create(zone_id, { validation_enabled: false });
      const { schema_id } = created;
      const calls = client().schemaValidation.schemas;
      assert.deepEqual({ ...(await calls.get(schema_id, { zone_id })) }, { ...created });
      for (const validation_enabled of [true, false]) {
        const edited = await calls.edit(schema_id, { zone_id, validation_enabled });
        assert.deepEqual({ ...edited }, { ...created, validation_enabled });
      }
      assert.equal((await calls.delete(schema_id, { zone_id })).id, schema_id);
      await assert.rejects(() => calls.get(schema_id, { zone_id }), isNotFound(19400));
    });

    test('every schema is on one page', async () => {
      const zone_id = newZone();
      const names = Array.from({ length: 7 }, (_, index) => `${index}.yaml`);
      for (const [index, name] of names.entries()) await create(zone_id, { name, validation_enabled: index % 2 === 0 });
      for (const calls of [client().apiGateway.userSchemas, client().schemaValidation.schemas]) {
        const listed = await all(calls.list({ zone_id, per_page: 5 }));
        assert.deepEqual(listed.map(({ name }) => name), names.toReversed());
        const enabled = await all(calls.list({ zone_id, validation_enabled: true, omit_source: true }));
        assert.deepEqual(enabled.map(({ name }) => name), ['6.yaml', '4.yaml', '2.yaml', '0.yaml']);
        assert.ok(enabled.every(({ source }) => source === undefined));
      }
    });

    test('what a schema describes is listed', async () => {
      const zone_id = newZone();
      const { operation_id } = await add(zone_id);
      const { schema_id } = await create(zone_id);
      const listed = async (query) =>
        (await all(client().apiGateway.userSchemas.operations.list(schema_id, { zone_id, ...query }))).map(
          (item) => [item.method, item.endpoint, item.operation_id],
        );
      const known = ['GET', '/v1/users/{var1}', operation_id];
      const unknown = ['DELETE', '/v1/users/{var1}', undefined];
      assert.deepEqual(await listed({}), [unknown, known]);
      assert.deepEqual(await listed({ operation_status: 'existing' }), [known]);
      assert.deepEqual(await listed({ operation_status: 'new', method: ['DELETE'], endpoint: 'users' }), [unknown]);
      assert.deepEqual(await listed({ host: ['other.example.com'] }), []);
    });

    test('hosts are listed by schema', async () => {
      const zone_id = newZone();
      const { schema_id, name, created_at } = await create(zone_id);
      const listed = await all(client().apiGateway.userSchemas.hosts.list({ zone_id }));
      assert.deepEqual(listed, [{ schema_id, name, created_at, hosts: ['api.example.com'] }]);
    });

    const settings = (action, override) => ({
      validation_default_mitigation_action: action,
      ...(override === undefined ? {} : { validation_override_mitigation_action: override }),
    });
    const shown = ({ validation_default_mitigation_action, validation_override_mitigation_action }) => [
      validation_default_mitigation_action,
      validation_override_mitigation_action ?? null,
    ];

    test('settings are changed by the older calls', async () => {
      const zone_id = newZone();
      const calls = client().apiGateway.settings.schemaValidation;
      assert.deepEqual(shown(await calls.get({ zone_id })), ['none', null]);
      const updated = await calls.update({ zone_id, ...settings('block', 'none') });
      assert.deepEqual(shown(updated), ['block', 'none']);
      assert.deepEqual(shown(await calls.edit({ zone_id, ...settings('log', null) })), ['log', 'none']);
      const edited = await calls.edit({ zone_id, validation_override_mitigation_action: 'disable_override' });
      assert.deepEqual(shown(edited), ['log', null]);
      assert.deepEqual(shown(await calls.get({ zone_id })), ['log', null]);
    });

    test('settings are changed by the current calls', async () => {
      const zone_id = newZone();
      const calls = client().schemaValidation.settings;
      assert.deepEqual(shown(await calls.get({ zone_id })), ['none', null]);
      assert.deepEqual(shown(await calls.update({ zone_id, ...settings('block', 'none') })), ['block', 'none']);
      assert.deepEqual(shown(await calls.edit({ zone_id, ...settings('log') })), ['log', 'none']);
      const cleared = await calls.edit({ zone_id, validation_override_mitigation_action: null });
      assert.deepEqual(shown(cleared), ['log', null]);
      assert.deepEqual(shown(await calls.update({ zone_id, ...settings('none') })), ['none', null]);
    });

    test('an action is set by the older calls', async () => {
      const zone_id = newZone();
      const { operation_id } = await add(zone_id);
      const calls = client().apiGateway.operations.schemaValidation;
      for (const mitigation_action of ['block', 'none', null]) {
        const updated = await calls.update(operation_id, { zone_id, mitigation_action });
        const got = await calls.get(operation_id, { zone_id });
        for (const answer of [updated, got]) {
          assert.deepEqual([answer.mitigation_action, answer.operation_id], [mitigation_action, operation_id]);
        }
      }
      const settings_multiple_request = { [operation_id]: { mitigation_action: 'log' } };
      const changed = await calls.edit({ zone_id, settings_multiple_request });
      assert.equal(changed[operation_id].mitigation_action, 'log');
    });

    test('an action is set by the current calls', async () => {
      const zone_id = newZone();
      const { operation_id } = await add(zone_id);
      const calls = client().schemaValidation.settings.operations;
      await assert.rejects(() => calls.get(operation_id, { zone_id }), isNotFound(10404));
      for (const mitigation_action of ['block', 'none']) {
        const expected = { mitigation_action, operation_id };
        assert.deepEqual({ ...(await calls.update(operation_id, { zone_id, mitigation_action })) }, expected);
        assert.deepEqual({ ...(await calls.get(operation_id, { zone_id })) }, expected);
        assert.deepEqual(await all(calls.list({ zone_id })), [expected]);
      }
      const body = { [operation_id]: { mitigation_action: 'log' } };
      const changed = await calls.bulkEdit({ zone_id, body });
      assert.deepEqual({ ...changed[operation_id] }, { mitigation_action: 'log', operation_id });
      assert.equal((await calls.delete(operation_id, { zone_id })).operation_id, operation_id);
      const cleared = await calls.update(operation_id, { zone_id, mitigation_action: null });
      assert.equal(cleared.mitigation_action, null);
    });

    test('an operation shows the schema in force', async () => {
      const zone_id = newZone();
      const { operation_id } = await add(zone_id);
      const info = async () =>
        (await client().apiGateway.operations.get(operation_id, { zone_id, feature: ['schema_info'] })).features
          .schema_info;
      assert.deepEqual(await info(), { learned_available: false, mitigation_action: 'none' });
      const { schema_id: id, created_at, name } = await create(zone_id);
      await client().schemaValidation.settings.update({ zone_id, ...settings('log') });
      assert.deepEqual(await info(), {
        active_schema: { id, created_at, is_learned: false, name },
        learned_available: false,
        mitigation_action: 'log',
      });
    });

    test('a token that may only read does not upload', async () => {
      const zone_id = newZone();
      const reader = withToken(server.command('token', 'create', '--group', 'Account API Gateway Read').token);
      assert.deepEqual(await all(reader.schemaValidation.schemas.list({ zone_id })), []);
      const body = { kind: 'openapi_v3', name: 'a', source: DOCUMENT, validation_enabled: true };
      await assert.rejects(() => reader.schemaValidation.schemas.create({ zone_id, ...body }), PermissionDeniedError);
    });
  });
}
