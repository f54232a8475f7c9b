package types

import "time"

// Event is something that has happened, as GET /events tells it.
type Event struct {
	Status   string `json:"status,omitempty"` // these three are of containers
	ID       string `json:"id,omitempty"`
	From     string `json:"from,omitempty"`
	Type     string // container or network
	Action   string
	Actor    Actor
	Scope    string `json:"scope"`
	Time     int64  `json:"time"`
	TimeNano int64  `json:"timeNano"`
}

// Actor is what an event is about.
type Actor struct {
	ID         string
	Attributes map[string]string
}

// Top is the processes of a container, as GET /containers/ID/top lists them.
type Top struct {
	Titles    []string
	Processes [][]string
}

// Stats is what a container has used up to a moment, as GET /containers/ID/stats?stream=false tells it, as far as it is known here.
type Stats struct {
	ID       string             `json:"id"`
	Name     string             `json:"name"`
	Read     time.Time          `json:"read"` // zero: it does not run
	CPU      CPUStats           `json:"cpu_stats"`
	Memory   Memory             `json:"memory_stats"`
	PIDs     PIDs               `json:"pids_stats"`
	Networks map[string]Traffic `json:"networks,omitempty"`
}

// CPUStats is processor time, in nanoseconds.
type CPUStats struct {
	Usage struct {
		Total uint64 `json:"total_usage"`
	} `json:"cpu_usage"`
	Online int `json:"online_cpus"`
}

// Memory is in bytes.
type Memory struct {
	Usage uint64 `json:"usage"`
	Limit uint64 `json:"limit"`
}

// PIDs is how many processes there are.
type PIDs struct {
	Current int `json:"current"`
}

// Traffic is what an interface has received and sent, in bytes.
type Traffic struct {
	Received uint64 `json:"rx_bytes"`
	Sent     uint64 `json:"tx_bytes"`
}
