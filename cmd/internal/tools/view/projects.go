package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// Project is a lab as docker compose ls lists a project.
type Project struct {
	Name        string `json:"Name"`
	Status      string `json:"Status"` // running(2), exited(1)
	ConfigFiles string `json:"ConfigFiles"`
	PID         int    `json:"PID"` // of the process that runs the lab
}

// ProjectOf returns a lab as a project. A host counts as running until its command has ended; one without a command is
// there, and runs.
func ProjectOf(l api.Lab, hosts []api.Host) Project {
	count := map[string]int{}
	for _, h := range hosts {
		if h.State == api.CommandEnded {
			count["exited"]++
		} else {
			count["running"]++
		}
	}
	var status []string
	for _, state := range slices.Sorted(maps.Keys(count)) {
		status = append(status, fmt.Sprintf("%s(%d)", state, count[state]))
	}
	return Project{Name: l.Name, Status: strings.Join(status, ", "), ConfigFiles: l.Config, PID: l.PID}
}

// Projects writes labs, as docker compose ls does.
func Projects(w io.Writer, rows []Project) error {
	t := newTable("NAME", "STATUS", "CONFIG FILES", "PID")
	for _, p := range rows {
		t.add(p.Name, p.Status, p.ConfigFiles, strconv.Itoa(p.PID))
	}
	return t.write(w)
}
