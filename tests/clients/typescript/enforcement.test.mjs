// From an uploaded schema to a blocked request: the official TypeScript SDK says it, live requests show it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOKEN, startServer } from './server.mjs';

let server;
let origin;
before(async () => {
  server = await startServer();
  origin = http.createServer((_, answer) => answer.end()).listen(0, '127.0.0.1');
  await once(origin, 'listening');
});
after(async () => {
  origin?.closeAllConnections();
  origin?.close();
  await server?.stop();
});

const documentOf = (host) => `openapi: 3.0.3
info: {title: Users, version: "1"}
servers: [{url: "https://${host}"}]
paths:
  /users/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {}
`;

/** The status of a live request. */
async function status(host, path = '/users/rex') {
  const request = http.get({ host: '127.0.0.1', port: server.gatewayPort, path, headers: { host }, agent: false });
  const [answer] = await once(request, 'response');
  answer.resume();
  return answer.statusCode;
}

async function soon(host, expected) {
  for (let tries = 0; (await status(host)) !== expected; tries += 1) {
    assert.ok(tries < 200, `${host} is not answered with ${expected}`);
    await sleep(50);
  }
}

for (const version of ['7.1.0', '7.3.0']) {
  test(`a request that does not fit meets what cloudflare ${version} said`, async () => {
    const { default: Cloudflare, toFile } = await import(`cloudflare-${version}`);
    const client = new Cloudflare({
      baseURL: server.baseURL,
      maxRetries: 0,
      apiToken: TOKEN,
      apiKey: null,
      apiEmail: null,
    });
    const host = `walkthrough-${version.replaceAll('.', '-')}.example.com`;
    const zone_id = server.command('zone', 'create', `${host}.example`).id;
    const { port } = origin.address();
    server.command('origin', 'set', '--zone', zone_id, '--host', host, `http://127.0.0.1:${port}`);
    const uploaded = await client.apiGateway.userSchemas.create({
      zone_id,
      file: await toFile(Buffer.from(documentOf(host)), 'users.yaml'),
      kind: 'openapi_v3',
      validation_enabled: 'true',
    });
    const { schema_id } = uploaded.schema;
    const list = () =>
      client.apiGateway.userSchemas.operations.list(schema_id, { zone_id, operation_status: 'new' });
    const [{ method, endpoint }] = (await list()).result;
    await client.apiGateway.operations.create({ zone_id, method, host, endpoint });
    assert.deepEqual((await list()).result, []);
    await soon(host, 200);

    const { settings } = client.schemaValidation;
    await settings.update({ zone_id, validation_default_mitigation_action: 'log' });
    await soon(host, 200);
    await settings.edit({ zone_id, validation_default_mitigation_action: 'block' });
    await soon(host, 403);
    assert.equal(await status(host, '/users/7'), 200);
    await settings.edit({ zone_id, validation_override_mitigation_action: 'none' });
    await soon(host, 200);
    await settings.edit({ zone_id, validation_override_mitigation_action: null });
    await soon(host, 403);

    await client.schemaValidation.schemas.delete(schema_id, { zone_id });
    await soon(host, 200);
  });
}
