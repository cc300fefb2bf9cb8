// What the DynamoDB store is measured with: a server with fixed answers, and aws-sdk-go-v2 doing what the store does.
//
//	dynamodb serve                                              answer until standard input ends; prints the port
//	dynamodb sdk put|get ENDPOINT REGION TABLE FLIGHT COUNT     prints microseconds of CPU per operation, operations a second,
//	                                                            and the median of an operation's microseconds
package main

import (
	"log"
	"os"
	"strconv"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("dynamodb benchmark: ")
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		serve()
	case len(os.Args) == 8 && os.Args[1] == "sdk":
		measure(os.Args[2] == "put", os.Args[3], os.Args[4], os.Args[5], number(os.Args[6]), number(os.Args[7]))
	default:
		log.Fatal("say serve, or sdk put|get ENDPOINT REGION TABLE FLIGHT COUNT")
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		log.Fatalf("%q is no positive number", text)
	}
	return value
}
