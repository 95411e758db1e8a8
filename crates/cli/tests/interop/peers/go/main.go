// Go's crypto/tls as a peer of the interoperability suite. `peer client TERMS` makes one
// connection (two if it resumes) and one request; `peer server TERMS` answers until it is
// killed. TERMS is JSON, see terms.rs. What crypto/tls says about each connection is printed as
// one JSON object a line.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

type identity struct{ Chain, Key string }

type terms struct {
	Port         int
	ServerName   string `json:"server_name"`
	Path         string
	Version      string
	Groups       []string
	ALPN         []string
	Roots        string
	Certificate  *identity
	Certificates []identity
	Resumes      bool
}

// event is a line of the output.
type event struct {
	Event          string `json:"event"`
	Port           int    `json:"port,omitempty"`
	Error          string `json:"error,omitempty"`
	Version        string `json:"version,omitempty"`
	CipherSuite    string `json:"cipher_suite,omitempty"`
	Group          string `json:"group,omitempty"`
	Authentication string `json:"authentication,omitempty"`
	Peer           string `json:"peer,omitempty"`
	IsTrusted      bool   `json:"is_trusted,omitempty"`
	IsResumed      bool   `json:"is_resumed,omitempty"`
	ALPN           string `json:"alpn,omitempty"`
	Body           string `json:"body,omitempty"`
}

func (e event) print() {
	line, _ := json.Marshal(e)
	fmt.Println(string(line))
}

func main() {
	var t terms
	if len(os.Args) != 3 {
		fail(errors.New("usage: peer client|server TERMS"))
	}
	fail(json.Unmarshal([]byte(os.Args[2]), &t))
	switch os.Args[1] {
	case "client":
		client(t)
	case "server":
		server(t)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func config(t terms) *tls.Config {
	version, ok := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[t.Version]
	if !ok {
		fail(fmt.Errorf("unknown version %q", t.Version))
	}
	c := &tls.Config{MinVersion: version, MaxVersion: version, NextProtos: t.ALPN}
	groups := map[string]tls.CurveID{
		"x25519":             tls.X25519,
		"secp256r1":          tls.CurveP256,
		"secp384r1":          tls.CurveP384,
		"X25519MLKEM768":     tls.X25519MLKEM768,
		"SecP256r1MLKEM768":  tls.SecP256r1MLKEM768,
		"SecP384r1MLKEM1024": tls.SecP384r1MLKEM1024,
		"MLKEM1024":          tls.MLKEM1024,
	}
	for _, name := range t.Groups {
		group, ok := groups[name]
		if !ok {
			fail(fmt.Errorf("unknown group %q", name))
		}
		c.CurvePreferences = append(c.CurvePreferences, group)
	}
	return c
}

func load(i identity) tls.Certificate {
	certificate, err := tls.LoadX509KeyPair(i.Chain, i.Key)
	fail(err)
	return certificate
}

func roots(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	fail(err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		fail(fmt.Errorf("no certificate in %s", file))
	}
	return pool
}

func view(s tls.ConnectionState) event {
	e := event{
		Event:       "handshake",
		Version:     tls.VersionName(s.Version),
		CipherSuite: tls.CipherSuiteName(s.CipherSuite),
		Group:       s.CurveID.String(),
		IsTrusted:   len(s.VerifiedChains) > 0,
		IsResumed:   s.DidResume,
		ALPN:        s.NegotiatedProtocol,
	}
	if len(s.PeerCertificates) > 0 {
		leaf := s.PeerCertificates[0]
		e.Peer = leaf.Subject.String()
		switch key := leaf.PublicKey.(type) {
		case *ecdsa.PublicKey:
			e.Authentication = "ecdsa-" + key.Curve.Params().Name
		case *rsa.PublicKey:
			e.Authentication = fmt.Sprintf("rsa-%d", key.N.BitLen())
		case *mldsa.PublicKey:
			e.Authentication = key.Parameters().String()
		default:
			e.Authentication = leaf.PublicKeyAlgorithm.String()
		}
	}
	return e
}

func client(t terms) {
	c := config(t)
	c.ServerName = t.ServerName
	c.RootCAs = roots(t.Roots)
	if t.Certificate != nil {
		certificate := load(*t.Certificate)
		// Shown whatever the server says it would trust.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &certificate, nil
		}
	}
	if t.Resumes {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		if _, err := exchange(t, c); err != nil {
			event{Event: "refused", Error: err.Error()}.print()
			return
		}
	}
	seen, err := exchange(t, c)
	if err != nil {
		event{Event: "refused", Error: err.Error()}.print()
		return
	}
	seen.print()
}

// A TLS 1.3 server refuses a client's certificate only after the handshake is over for the
// client (RFC 8446 section 4.4.2.4), so a handshake is good once an answer came back over it.
func exchange(t terms, c *tls.Config) (event, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", fmt.Sprintf("127.0.0.1:%d", t.Port), c)
	if err != nil {
		return event{}, err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
		t.Path, t.ServerName)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return event{}, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return event{}, err
	}
	e := view(conn.ConnectionState())
	e.Body = string(body)
	return e, nil
}

func server(t terms) {
	c := config(t)
	for _, i := range t.Certificates {
		c.Certificates = append(c.Certificates, load(i))
	}
	if t.Roots != "" {
		c.ClientCAs = roots(t.Roots)
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", c)
	fail(err)
	event{Event: "listening", Port: listener.Addr().(*net.TCPAddr).Port}.print()
	for {
		conn, err := listener.Accept()
		fail(err)
		go answer(conn.(*tls.Conn))
	}
}

func answer(conn *tls.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if err := conn.Handshake(); err != nil {
		event{Event: "refused", Error: err.Error()}.print()
		return
	}
	view(conn.ConnectionState()).print()
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		// In TLS 1.3 the client may refuse the server only now.
		if strings.Contains(err.Error(), "tls:") {
			event{Event: "refused", Error: err.Error()}.print()
		}
		return
	}
	request.Body.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\ngo\n")
}
