// Starts the real binary for the suite, on a folder and a port of its own.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export const ZONE = '023e105f4ecef8ad9ca31a8372d0c353';
export const TOKEN = 'suite-token-0123456789-0123456789-012345';

const { DEMILUNE_BIN: BINARY, DEMILUNE_TEST_DATABASE: DATABASE, ...ENVIRONMENT } = process.env;

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

export async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), 'demilune-'));
  const where = ['--data', join(folder, 'data')];
  if (DATABASE) where.push('--database', DATABASE);
  const port = await freePort();
  const gatewayPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...ENVIRONMENT,
    DEMILUNE_BOOTSTRAP_ZONE: `${ZONE}:example.com`,
    DEMILUNE_BOOTSTRAP_TOKEN: TOKEN,
    DEMILUNE_GATEWAY_LISTEN: `127.0.0.1:${gatewayPort}`,
  };
  const child = spawn(BINARY, ['serve', '--listen', `127.0.0.1:${port}`, ...where], { env });
  let log = '';
  child.stdout.on('data', (data) => (log += data));
  child.stderr.on('data', (data) => (log += data));
  for (let tries = 0; ; tries += 1) {
    const ready = await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false);
    if (ready) break;
    if (tries === 400 || child.exitCode !== null || child.signalCode !== null) {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`the server does not start: ${log}`);
    }
    await sleep(50);
  }
  return {
    baseURL: `${url}/client/v4`,
    gatewayPort,
    /** What a management command answers, as data. */
    command: (...parameters) =>
      JSON.parse(execFileSync(BINARY, [...parameters, ...where, '--output', 'json'], { encoding: 'utf8', env: ENVIRONMENT })),
    /** Asks the process to stop, and holds that it does so cleanly. */
    async stop() {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : [child.exitCode];
      child.kill('SIGTERM');
      const [status] = await exited;
      rmSync(folder, { recursive: true });
      if (status !== 0 || log.includes('panicked')) throw new Error(`exit status ${status}: ${log}`);
    },
  };
}
