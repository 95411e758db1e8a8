// Node as a TLS client of the interoperability suite: one connection (two if it resumes), one
// request, and what Node itself says about them, as one JSON object a line. The only argument
// is the terms in JSON; see terms.rs.
import fs from 'node:fs';
import http2 from 'node:http2';
import tls from 'node:tls';

const terms = JSON.parse(process.argv[2]);
const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));

const options = {
  host: '127.0.0.1',
  port: terms.port,
  servername: terms.server_name,
  ca: fs.readFileSync(terms.roots),
  ecdhCurve: terms.groups.join(':'),
  minVersion: `TLSv${terms.version}`,
  maxVersion: `TLSv${terms.version}`,
  ALPNProtocols: terms.alpn.length ? terms.alpn : undefined,
  cert: terms.certificate && fs.readFileSync(terms.certificate.chain),
  key: terms.certificate && fs.readFileSync(terms.certificate.key),
};

function view(socket) {
  // A resumed connection may have no certificate.
  const key = socket.getPeerX509Certificate()?.publicKey;
  const details = key?.asymmetricKeyDetails;
  return {
    version: socket.getProtocol(),
    cipher_suite: socket.getCipher().standardName,
    group: socket.getEphemeralKeyInfo()?.name,
    authentication: details?.namedCurve ?? (details?.modulusLength && `rsa-${details.modulusLength}`)
      ?? key?.asymmetricKeyType,
    is_trusted: socket.authorized,
    alpn: socket.alpnProtocol || null,
    is_resumed: socket.isSessionReused(),
  };
}

// TLS 1.3 servers refuse a client's certificate only after the handshake is over for the client
// (RFC 8446 section 4.4.2.4), so a handshake is good once an answer came back over it.
function exchange(session) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ ...options, session });
    let ticket;
    let answer = '';
    let seen;
    socket.on('secureConnect', () => {
      seen = view(socket);
      socket.write(`GET ${terms.path} HTTP/1.1\r\nHost: ${terms.server_name}\r\n`
        + 'Accept: application/json\r\nConnection: close\r\n\r\n');
    });
    socket.on('session', (data) => { ticket = data; });
    socket.on('data', (data) => { answer += data; });
    socket.on('error', reject);
    socket.on('close', () => {
      if (!seen || !answer) reject(new Error('the connection was closed without an answer'));
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
      resolve({ seen: { ...seen, body }, ticket });
    });
  });
}

function exchangeOverHttp2() {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://${terms.server_name}:${terms.port}`, {
      createConnection: () => tls.connect(options),
    });
    session.on('error', reject);
    const request = session.request({ ':path': terms.path, accept: 'application/json' });
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (data) => { body += data; });
    request.on('error', reject);
    request.on('end', () => {
      const seen = { ...view(session.socket), body };
      session.close();
      resolve({ seen });
    });
  });
}

try {
  let { seen, ticket } = terms.alpn.includes('h2') ? await exchangeOverHttp2() : await exchange();
  if (terms.resumes) ({ seen } = await exchange(ticket));
  say('handshake', seen);
} catch (error) {
  say('refused', { error: `${error.code ?? error.name}: ${error.message}` });
}
