package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net"
	"os"
	"strconv"
)

// serve answers every request at once with what DynamoDB would say, headers included. It looks at nothing but where a request
// ends and whether it is a GetItem, so that it costs little beside the client that is measured.
func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	payload := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 200))
	found := answer(`{"Item":{"StatePayload":{"B":"` + payload + `"},"ShardNumber":{"N":"1"},"VersionNumber":{"N":"7"},` +
		`"WriteID":{"B":"AAECAwQFBgcICQoLDA0ODw=="},"Timestamp":{"N":"1700000000000"},"PersistenceID":{"S":"account-7"},` +
		`"StateManifest":{"S":"bench"}}}`)
	done := answer("{}")
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go answerAll(connection, found, done)
	}
}

func answer(body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n"+
		"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"+
		"x-amzn-RequestId: 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEF\r\nx-amz-crc32: %d\r\n\r\n%s",
		len(body), crc32.ChecksumIEEE([]byte(body)), body)
}

func answerAll(connection net.Conn, found, done []byte) {
	defer connection.Close()
	buffer := make([]byte, 64<<10)
	filled := 0
	for {
		count, err := connection.Read(buffer[filled:])
		if err != nil {
			return
		}
		filled += count
		for {
			head := bytes.Index(buffer[:filled], []byte("\r\n\r\n"))
			if head < 0 {
				break
			}
			end := head + 4 + length(buffer[:head])
			if filled < end {
				break
			}
			reply := done
			if bytes.Contains(buffer[:head], []byte("GetItem")) {
				reply = found
			}
			if _, err := connection.Write(reply); err != nil {
				return
			}
			filled = copy(buffer, buffer[end:filled])
		}
	}
}

// length reads the Content-Length of a head, however its name is written.
func length(head []byte) int {
	for _, name := range []string{"\r\nContent-Length: ", "\r\ncontent-length: "} {
		if start := bytes.Index(head, []byte(name)); start >= 0 {
			value := head[start+len(name):]
			if end := bytes.IndexByte(value, '\r'); end >= 0 {
				value = value[:end]
			}
			count, err := strconv.Atoi(string(value))
			if err == nil {
				return count
			}
		}
	}
	return 0
}
