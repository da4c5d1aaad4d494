// Operations that nobody saved: live requests make them, the official TypeScript SDK reviews them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOKEN, startServer } from './server.mjs';

// More than the 500 that discovery asks for.
const REQUESTS = 520;
const HOST = 'unsaved.example.com';

let server;
let origin;
let zone_id;
before(async () => {
  server = await startServer();
  origin = http.createServer((_, answer) => answer.setHeader('content-type', 'application/json').end('{}'));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  zone_id = server.command('zone', 'create', 'unsaved.example').id;
  const auth_id_characteristics = [{ type: 'header', name: 'Authorization' }];
  await (await clientOf('7.3.0')).apiGateway.configurations.update({ zone_id, auth_id_characteristics });
  server.command('origin', 'set', '--zone', zone_id, '--host', HOST, `http://127.0.0.1:${origin.address().port}`);
  while ((await status('/')) !== 200) await sleep(50);
  for (let number = 0; number < REQUESTS; number += 1) {
    assert.equal(await status(`/orders/${1000 + number}`, number % 40), 200);
    assert.equal(await status(`/orders/${1000 + number}/lines`, number % 40), 200);
  }
  for (let tries = 0; ; tries += 1) {
    const found = server.command('discover', '--zone', zone_id);
    if (found.length === 2 && found.every(({ requests }) => requests === REQUESTS)) break;
    assert.ok(tries < 80, JSON.stringify(found));
    await sleep(500);
  }
});
after(async () => {
  agent.destroy();
  origin?.closeAllConnections();
  origin?.close();
  await server?.stop();
});

const agent = new http.Agent({ keepAlive: true });

/** The status of a live request in a session. */
async function status(path, session = 'nobody') {
  const headers = { host: HOST, authorization: `Bearer ${session}` };
  const request = http.get({ host: '127.0.0.1', port: server.gatewayPort, path, headers, agent });
  const [answer] = await once(request, 'response');
  answer.resume();
  await once(answer, 'end');
  return answer.statusCode;
}

async function clientOf(version) {
  const { default: Cloudflare } = await import(`cloudflare-${version}`);
  return new Cloudflare({ baseURL: server.baseURL, maxRetries: 0, apiToken: TOKEN, apiKey: null, apiEmail: null });
}

for (const version of ['7.1.0', '7.3.0']) {
  test(`what was found is listed, filtered, ordered and patched by cloudflare ${version}`, async () => {
    const client = await clientOf(version);
    const { operations } = client.apiGateway.discovery;
    const list = async (filters) => {
      const found = [];
      for await (const one of operations.list({ zone_id, ...filters })) found.push(one);
      return found;
    };
    const endpoints = async (filters) => (await list(filters)).map(({ endpoint }) => endpoint);

    const [one, lines] = await list();
    assert.deepEqual([one.method, one.host, one.endpoint, one.state], ['GET', HOST, '/orders/{var1}', 'review']);
    assert.deepEqual([...one.origin].sort(), ['ML', 'SessionIdentifier']);
    assert.equal(one.features.traffic_stats.requests, REQUESTS);
    assert.equal(one.features.traffic_stats.last_updated, one.last_updated);

    const both = ['/orders/{var1}', '/orders/{var1}/lines'];
    assert.deepEqual(await endpoints({ host: [HOST], method: ['GET', 'PUT'], origin: 'ML', diff: true }), both);
    assert.deepEqual(await endpoints({ endpoint: 'lines' }), ['/orders/{var1}/lines']);
    assert.deepEqual(await endpoints({ method: ['PUT'] }), []);
    for (const order of ['host', 'method', 'endpoint', 'traffic_stats.requests', 'traffic_stats.last_updated']) {
      assert.deepEqual(await endpoints({ order, direction: 'asc' }), both);
      assert.deepEqual(await endpoints({ order, direction: 'desc' }), both.toReversed());
    }

    const ignored = await operations.bulkEdit({ zone_id, body: { [lines.id]: { state: 'ignored' }, [one.id]: {} } });
    assert.deepEqual(ignored, { [lines.id]: { state: 'ignored' }, [one.id]: { state: 'review' } });
    assert.deepEqual(await endpoints({ state: 'ignored' }), ['/orders/{var1}/lines']);
    await operations.bulkEdit({ zone_id, body: { [lines.id]: { state: 'review' } } });
    assert.deepEqual(await endpoints({ state: 'review' }), both);
    await assert.rejects(operations.bulkEdit({ zone_id, body: { [one.id]: { state: 'saved' } } }), { status: 400 });

    const { schemas, timestamp } = await client.apiGateway.discovery.get({ zone_id });
    assert.deepEqual(schemas.map(({ paths }) => Object.keys(paths)), [both]);
    assert.ok(timestamp);

    const { operation_id } = await client.apiGateway.operations.create({
      zone_id,
      method: 'GET',
      host: HOST,
      endpoint: '/orders/{id}',
    });
    assert.deepEqual(await endpoints({ state: 'saved' }), ['/orders/{var1}']);
    await client.apiGateway.operations.delete(operation_id, { zone_id });
    assert.deepEqual(await endpoints({ state: 'saved' }), []);
  });
}
