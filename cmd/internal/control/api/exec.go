package api

import (
	"net/url"
	"strconv"
	"syscall"
)

// ExecPath is where programs are started.
const ExecPath = "/v1/exec"

// ExecQuery is a program that is to run in a host. What it reads is the body of the request, which may go on while the
// answer comes; the answer is a stream of ExecOutput.
type ExecQuery struct {
	ID          string // by which ExecSignal finds it; chosen by who asks
	Host        string
	Args        []string
	Environment []string // KEY=value, on top of the host's
	Dir         string
	Person      bool // somebody looks on: time passes no faster than it does outside
}

// Query returns it as a query.
func (e ExecQuery) Query() url.Values {
	return url.Values{"id": {e.ID}, "host": {e.Host}, "arg": e.Args, "env": e.Environment, "dir": {e.Dir}, "person": {strconv.FormatBool(e.Person)}}
}

// ExecOutput is what a program has written at once or, last of all, its exit status.
type ExecOutput struct {
	Stdout []byte `json:"stdout,omitempty"`
	Stderr []byte `json:"stderr,omitempty"`
	Status *int   `json:"status,omitempty"`
	// Await says that the lab stands still until the client has posted to ExecTakenPath that it has passed this on: what other
	// programs, and the trace, write to the same screen comes after it.
	Await bool `json:"await,omitempty"`
}

// ExecTaken says that what a program has written was passed on.
type ExecTaken struct {
	ID string `json:"id"`
}

// ExecTakenPath is where it is said.
const ExecTakenPath = ExecPath + "/taken"

// ExecSignal is a signal for a program that a client has started and waits for.
type ExecSignal struct {
	ID     string         `json:"id"`
	Signal syscall.Signal `json:"signal"`
}
