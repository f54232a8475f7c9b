//go:build dockercommand

package client_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/types"
)

// TestDockerReal gives the docker command and this package the same answers of a daemon, and compares what they print.
func TestDockerReal(t *testing.T) {
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal("the docker command is missing: want Docker's own client, version 28")
	}
	// Times are said in relation to now, and labels in no order; nor are the networks of a container, which no row shows.
	containers := make([]types.Summary, len(dockerContainers))
	now := time.Now()
	for i, c := range dockerContainers {
		c.Created, c.Labels = now.Add(-time.Duration(i+2)*time.Hour-time.Minute).Unix(), nil
		containers[i] = c
	}
	socket := daemon(t, map[string]any{"/containers/json": containers, "/networks": dockerNetworks, "/networks/a": dockerNetworks[1],
		"/containers/web/json": dockerObject()})
	o := client.DockerOptions{Now: now}
	with := func(change func(*client.DockerOptions)) client.DockerOptions {
		changed := o
		change(&changed)
		return changed
	}
	for _, test := range []struct {
		args []string
		ours func(io.Writer) error
	}{
		{[]string{"ps", "-a"}, func(w io.Writer) error { return client.DockerPs(w, containers, o) }},
		{[]string{"ps", "-aq"}, func(w io.Writer) error {
			return client.DockerPs(w, containers, with(func(o *client.DockerOptions) { o.Quiet = true }))
		}},
		{[]string{"ps", "-a", "--no-trunc"}, func(w io.Writer) error {
			return client.DockerPs(w, containers, with(func(o *client.DockerOptions) { o.NoTrunc = true }))
		}},
		{[]string{"ps", "-a", "--format", `table {{.Names}}\t{{.Ports}}`}, func(w io.Writer) error {
			return client.DockerPs(w, containers, with(func(o *client.DockerOptions) { o.Format = `table {{.Names}}\t{{.Ports}}` }))
		}},
		{[]string{"ps", "-a", "--format", "{{.ID}} {{.Command}} {{.State}}"}, func(w io.Writer) error {
			return client.DockerPs(w, containers, with(func(o *client.DockerOptions) { o.Format = "{{.ID}} {{.Command}} {{.State}}" }))
		}},
		{[]string{"network", "ls"}, func(w io.Writer) error {
			return client.DockerNetworks(w, []types.Network{dockerNetworks[1], dockerNetworks[0]}, o)
		}},
		{[]string{"network", "ls", "--format", "{{json .}}"}, func(w io.Writer) error {
			return client.DockerNetworks(w, []types.Network{dockerNetworks[1], dockerNetworks[0]}, with(func(o *client.DockerOptions) { o.Format = "{{json .}}" }))
		}},
		{[]string{"network", "inspect", "a"}, func(w io.Writer) error { return client.DockerInspect(w, []any{dockerNetworks[1]}, "") }},
		{[]string{"inspect", "web"}, func(w io.Writer) error { return client.DockerInspect(w, []any{dockerObject()}, "") }},
		{[]string{"inspect", "-f", "{{json .NetworkSettings.Networks}}", "web"}, func(w io.Writer) error {
			return client.DockerInspect(w, []any{dockerObject()}, "{{json .NetworkSettings.Networks}}")
		}},
		{[]string{"port", "web"}, func(w io.Writer) error { return client.DockerPort(w, dockerObject().NetworkSettings.Ports, "") }},
		{[]string{"port", "web", "80"}, func(w io.Writer) error {
			return client.DockerPort(w, dockerObject().NetworkSettings.Ports, "80/tcp")
		}},
	} {
		cmd := exec.Command(docker, test.args...)
		cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+socket, "DOCKER_CONFIG="+t.TempDir())
		theirs, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("docker %s: %v\n%s", strings.Join(test.args, " "), err, theirs)
		}
		var ours bytes.Buffer
		if err := test.ours(&ours); err != nil || ours.String() != string(theirs) {
			t.Errorf("docker %s: %v\ngot\n%s\nwant\n%s", strings.Join(test.args, " "), err, ours.String(), theirs)
		}
	}
}

// daemon answers on a unix socket what it is given, by path.
func daemon(t *testing.T, answers map[string]any) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.50")
		path := r.URL.Path
		if version, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/"); ok && strings.HasPrefix(version, "v1.") {
			path = "/" + rest
		}
		answer, ok := answers[path]
		switch {
		case path == "/_ping":
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message": "not here"}`)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answer)
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return socket
}
