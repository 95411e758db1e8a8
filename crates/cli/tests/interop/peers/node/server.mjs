// Node as a TLS server of the interoperability suite: answers every request, and says what Node
// itself knows of each connection as one JSON object a line, until it is killed. The only
// argument is the terms in JSON; see terms.rs.
import fs from 'node:fs';
import tls from 'node:tls';

const terms = JSON.parse(process.argv[2]);
const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));

const server = tls.createServer({
  cert: terms.certificates.map(({ chain }) => fs.readFileSync(chain)),
  key: terms.certificates.map(({ key }) => fs.readFileSync(key)),
  ecdhCurve: terms.groups.join(':'),
  minVersion: `TLSv${terms.version}`,
  maxVersion: `TLSv${terms.version}`,
  ALPNProtocols: terms.alpn.length ? terms.alpn : undefined,
  ca: terms.roots && fs.readFileSync(terms.roots),
  requestCert: Boolean(terms.roots),
  rejectUnauthorized: Boolean(terms.roots),
  // A server socket has no getEphemeralKeyInfo: the group stands in the trace only.
  enableTrace: true,
});

server.on('secureConnection', (socket) => {
  const peer = socket.getPeerX509Certificate();
  say('handshake', {
    version: socket.getProtocol(),
    cipher_suite: socket.getCipher().standardName,
    alpn: socket.alpnProtocol || null,
    is_resumed: socket.isSessionReused(),
    peer: peer?.subject ?? null,
  });
  socket.on('error', () => {});
  socket.once('data', () => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n'
      + 'Connection: close\r\n\r\nnode\n');
  });
});
server.on('tlsClientError', (error, socket) => {
  // A certificate that it does not trust makes it hang up; the reason is the socket's.
  const reason = socket.authorizationError ?? error.message;
  say('refused', { error: `${error.code ?? error.name}: ${reason}` });
});
server.listen(0, '127.0.0.1', () => say('listening', { port: server.address().port }));
