// SPDX-License-Identifier: Apache-2.0

// An HTTP server; with the argument "tasks" it asks itself, counts with many goroutines, and ends with 5.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

func says(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "go says %s\n", r.URL.Path) }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "tasks" {
		tasks()
		os.Exit(5)
	}
	server := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(says)}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		<-stop.Done()
		server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ended")
}

func tasks() {
	numbers := make(chan int)
	var all sync.WaitGroup
	for n := range 1000 {
		all.Add(1)
		go func() { defer all.Done(); numbers <- n }()
	}
	go func() { all.Wait(); close(numbers) }()
	sum := 0
	for n := range numbers {
		sum += n
	}
	fmt.Println("goroutines: 1000 summed", sum)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(says))
	right := make(chan bool)
	for n := range 100 {
		go func() {
			answer, err := http.Get(fmt.Sprintf("http://%s/%d", listener.Addr(), n))
			if err != nil {
				right <- false
				return
			}
			defer answer.Body.Close()
			text, _ := io.ReadAll(answer.Body)
			right <- string(text) == fmt.Sprintf("go says /%d\n", n)
		}()
	}
	answers := 0
	for range 100 {
		if <-right {
			answers++
		}
	}
	fmt.Printf("http: %d answers\nuid %d\n", answers, os.Getuid())
}
