// SPDX-License-Identifier: Apache-2.0

// Go has a runtime of its own between programs and the kernel: its threads, stacks, signals and system calls.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(condition bool, name string) {
	if condition {
		fmt.Println("ok go: " + name)
	} else {
		fmt.Println("FAIL go: " + name)
	}
}

func goroutines() {
	const count = 2000
	values := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			runtime.Gosched()
			values <- i
		}(i)
	}
	go func() { group.Wait(); close(values) }()
	sum := 0
	for value := range values {
		sum += value
	}
	check(sum == count*(count-1)/2, "goroutines")
}

type node struct {
	left, right *node
	payload     [4]int
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{payload: [4]int{depth}}
	}
	return &node{tree(depth - 1), tree(depth - 1), [4]int{depth}}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func collection() {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	kept := tree(12)
	var group sync.WaitGroup
	var wrong atomic.Int32
	for worker := 0; worker < 4; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 10; i++ {
				if tree(10).count() != 1<<11-1 {
					wrong.Add(1)
				}
			}
		}()
	}
	group.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	check(wrong.Load() == 0 && kept.count() == 1<<13-1 && after.NumGC > before.NumGC+2, "garbage is collected while goroutines work")
}

// A loop without calls gives way only to the signal (SIGURG) that the runtime sends to its thread.
func preemption() {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var stop atomic.Bool
	done := make(chan uint64)
	go func() {
		x := uint64(1)
		for i := 0; ; i++ {
			x = x*6364136223846793005 + 1442695040888963407
			if x == 0 || stop.Load() {
				break
			}
		}
		done <- x
	}()
	runtime.Gosched()
	for i := 0; i < 5; i++ {
		time.Sleep(time.Millisecond)
		runtime.GC()
	}
	stop.Store(true)
	<-done
	check(true, "a loop is preempted")
}

func recovered(body func()) (text string) {
	defer func() {
		if err, ok := recover().(error); ok {
			text = err.Error()
		}
	}()
	body()
	return ""
}

var zero int
var nowhere *node

func faults() {
	check(strings.Contains(recovered(func() { fmt.Fprint(io.Discard, nowhere.payload[1]) }), "nil pointer"), "a nil pointer is recovered")
	check(strings.Contains(recovered(func() { fmt.Fprint(io.Discard, 1/zero) }), "divide by zero"), "a division by zero is recovered")
}

func deep(n int) int {
	var room [256]byte
	room[n%256] = 1
	if n == 0 {
		return 0
	}
	return deep(n-1) + int(room[n%256])
}

func stacks() {
	result := make(chan int)
	for i := 0; i < 8; i++ {
		go func() { result <- deep(20000) }()
	}
	sum := 0
	for i := 0; i < 8; i++ {
		sum += <-result
	}
	check(sum == 8*20000, "stacks grow")
}

func network() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer connection.Close(); io.Copy(connection, connection) }()
		}
	}()
	failures := make(chan error)
	for i := 0; i < 20; i++ {
		go func(i int) { failures <- echo(listener.Addr().String(), i) }(i)
	}
	for i := 0; i < 20; i++ {
		err = errors.Join(err, <-failures)
	}
	return err
}

func echo(address string, number int) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	sent := []byte(strings.Repeat(fmt.Sprint(number), 5000))
	go func() { connection.Write(sent); connection.(*net.TCPConn).CloseWrite() }()
	received, err := io.ReadAll(connection)
	if err == nil && string(received) != string(sent) {
		err = errors.New("other bytes came back")
	}
	return err
}

func signals() {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGUSR1)
	for i := 0; i < 20; i++ {
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		<-came
	}
	check(true, "signals")
}

func children() {
	output, err := exec.Command("/proc/self/exe", "child").Output()
	check(err == nil && string(output) == "from the child", "a child's output")
}

func timers() {
	start := time.Now()
	ticker := time.NewTicker(2 * time.Millisecond)
	for i := 0; i < 5; i++ {
		<-ticker.C
	}
	check(time.Since(start) >= 9*time.Millisecond, "timers")
}

func main() {
	if len(os.Args) > 1 {
		fmt.Print("from the child")
		return
	}
	goroutines()
	collection()
	preemption()
	faults()
	stacks()
	err := network()
	check(err == nil, fmt.Sprint("connections over loopback: ", err))
	signals()
	children()
	timers()
}
