// A cloud function in Node: certificate and password from the environment, one request. The only
// argument is the request in JSON; the account of it is one JSON object on stdout.
import dns from 'node:dns';
import fs from 'node:fs';
import https from 'node:https';

const call = JSON.parse(process.argv[2]);
const env = process.env;
const account = {};

// On loopback the cloud's hosts file is all there is; in a namespace the system reads it.
function lookup(name, options, callback) {
  const table = call.resolver.table;
  if (!table) {
    dns.lookup(name, options, callback);
    return;
  }
  const line = fs.readFileSync(table, 'utf8').split('\n')
    .map((text) => text.split('#')[0].trim().split(/\s+/))
    .find((words) => words.slice(1).includes(name));
  if (!line) callback(Object.assign(new Error(`${name}: no such name`), { code: 'ENOTFOUND' }));
  else if (options.all) callback(null, [{ address: line[0], family: 4 }]);
  else callback(null, line[0], 4);
}

function tell(fields) {
  Object.assign(account, fields);
  console.log(JSON.stringify({ account }));
}

const request = https.request({
  host: call.name,
  port: call.port,
  path: call.path,
  agent: false,
  lookup,
  pfx: env.CLIENT_PFX_BASE64 && Buffer.from(env.CLIENT_PFX_BASE64, 'base64'),
  passphrase: env.CLIENT_PFX_PASSWORD,
  ca: env.SERVER_CA_PEM,
  ecdhCurve: call.group,
  minVersion: 'TLSv1.3',
  timeout: 15000,
});
request.on('socket', (socket) => {
  socket.on('secureConnect', () => {
    account.address = `${socket.remoteAddress}:${socket.remotePort}`;
    account.group = socket.getEphemeralKeyInfo()?.name ?? null;
  });
});
request.on('response', (response) => {
  response.resume();
  response.on('end', () => tell({ status: response.statusCode }));
});
request.on('timeout', () => request.destroy(new Error('no answer in time')));
request.on('error', (error) => {
  const alert = /SSL alert number (\d+)/.exec(error.message);
  tell({ alert: alert && Number(alert[1]), error: error.message.trim() });
});
request.end();
