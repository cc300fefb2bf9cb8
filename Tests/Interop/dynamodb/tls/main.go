// Answers over TLS with certificates that it makes itself, good ones and bad ones, each on a port of its own; over HTTP/2 where the
// client offers it. Every answer is a JSON object with the protocol and the number of the connection it came on.
//
//	tls FOLDER    leaves authority.pem in FOLDER; prints its process ID, a line NAME=PORT for each certificate, and "ready"
//
// It ends by itself after three minutes.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func main() {
	ours, strange := newAuthority("Ours"), newAuthority("Strange")
	file := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ours.certificate.Raw})
	if err := os.WriteFile(filepath.Join(os.Args[1], "authority.pem"), file, 0o600); err != nil {
		log.Fatal(err)
	}
	fmt.Println("pid=" + fmt.Sprint(os.Getpid()))
	now := time.Now()
	good := x509.Certificate{
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	other := good
	other.DNSNames, other.IPAddresses = []string{"dynamodb.example.com"}, nil
	expired := good
	expired.NotBefore, expired.NotAfter = now.Add(-48*time.Hour), now.Add(-24*time.Hour)
	future := good
	future.NotBefore, future.NotAfter = now.Add(24*time.Hour), now.Add(48*time.Hour)
	serve("good", ours.issue(good), "h2", "http/1.1")
	serve("plain", ours.issue(good), "http/1.1")
	serve("other", ours.issue(other), "h2")
	serve("expired", ours.issue(expired), "h2")
	serve("future", ours.issue(future), "h2")
	serve("strange", strange.issue(good), "h2")
	fmt.Println("ready")
	time.Sleep(3 * time.Minute)
}

func serve(name string, certificate tls.Certificate, protocols ...string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s=%d\n", name, listener.Addr().(*net.TCPAddr).Port)
	type number struct{}
	var connections atomic.Int64
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			fmt.Fprintf(w, `{"protocol":"%s","connection":%d,"received":%d}`, r.Proto, r.Context().Value(number{}), len(body))
		}),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: protocols, MinVersion: tls.VersionTLS12},
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, number{}, connections.Add(1))
		},
		// What clients think of the certificates is seen by the clients.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if protocols[0] == "http/1.1" {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	go func() { log.Fatal(server.ServeTLS(listener, "", "")) }()
}

func newAuthority(name string) authority {
	template := x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-72 * time.Hour), NotAfter: time.Now().Add(72 * time.Hour), SerialNumber: serial(),
	}
	key := newKey()
	return authority{certificate: sign(&template, &template, &key.PublicKey, key), key: key}
}

func (a authority) issue(template x509.Certificate) tls.Certificate {
	template.Subject = pkix.Name{CommonName: "a server"}
	template.SerialNumber = serial()
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	key := newKey()
	certificate := sign(&template, a.certificate, &key.PublicKey, a.key)
	return tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	bytes, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(bytes)
	if err != nil {
		log.Fatal(err)
	}
	return certificate
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

func serial() *big.Int {
	number, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		log.Fatal(err)
	}
	return number
}
