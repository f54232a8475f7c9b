package engine_test

import (
	"errors"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/docker/types"
)

// sleeper is a container that runs until it is told to end.
func sleeper(network string) types.CreateRequest {
	r := types.CreateRequest{Config: types.Config{Image: "busybox", Cmd: []string{"sleep", "300"}}}
	r.HostConfig.NetworkMode = network
	return r
}

func create(t *testing.T, e *engine.Engine, name string, r types.CreateRequest) string {
	t.Helper()
	made, err := e.Create(name, r)
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// start creates a container and starts it.
func start(t *testing.T, e *engine.Engine, name string, r types.CreateRequest) string {
	t.Helper()
	id := create(t, e, name, r)
	if err := e.Start(id); err != nil {
		t.Fatal(err)
	}
	return id
}

func address(t *testing.T, e *engine.Engine, name, network string) string {
	t.Helper()
	c, err := e.Inspect(name)
	if err != nil {
		t.Fatal(err)
	}
	s := c.NetworkSettings.Networks[network]
	if s == nil {
		t.Fatalf("%s is not on %s: %+v", name, network, c.NetworkSettings.Networks)
	}
	return s.IPAddress
}

// refused compares an error's words and status.
func refused(t *testing.T, err error, code int, want string) {
	t.Helper()
	var own *engine.Error
	switch {
	case err == nil:
		t.Errorf("accepted; want: %s", want)
	case err.Error() != want:
		t.Errorf("got  %v\nwant %s", err, want)
	case !errors.As(err, &own) || own.Code != code:
		t.Errorf("%v: want the status %d, got %+v", err, code, own)
	}
}

// TestLife walks a container through its states, and looks at what every other method says in each.
func TestLife(t *testing.T) {
	lab := newFake(t, "")
	e := lab.engine(t)
	state := func(want string) *types.Container {
		t.Helper()
		c, err := e.Inspect("web")
		if err != nil || c.State.Status != want || c.State.Running != (want == "running") {
			t.Fatalf("%+v, %v: want %s", c.State, err, want)
		}
		return c
	}
	id := create(t, e, "web", sleeper("default"))
	if c := state("created"); c.ID != id || c.Name != "/web" || c.HostConfig.NetworkMode != "bridge" || c.State.Pid != 0 ||
		c.Config.Hostname != id[:12] || c.Path != "sleep" || !slices.Equal(c.Args, []string{"300"}) || c.NetworkSettings.SandboxKey != "" {
		t.Errorf("created: %+v", c)
	}
	refused(t, e.Kill("web", "TERM"), http.StatusConflict, "cannot kill container: web: container "+id+" is not running")
	if err := e.Stop("web", 0); err != nil {
		t.Errorf("stopping what does not run: %v", err)
	}
	if err := e.Start(id[:5]); err != nil { // the beginning of an id will do
		t.Fatal(err)
	}
	c := state("running")
	if c.State.Pid == 0 || c.NetworkSettings.IPAddress != "172.17.0.2" || c.NetworkSettings.Gateway != "172.17.0.1" || c.NetworkSettings.IPPrefixLen != 16 ||
		c.NetworkSettings.MacAddress != "02:42:ac:11:00:02" || c.NetworkSettings.SandboxKey != "/run/netns/web" {
		t.Errorf("running: %+v", c.NetworkSettings)
	}
	if err := e.Start("web"); !errors.Is(err, engine.ErrStarted) {
		t.Errorf("started twice: %v", err)
	}
	refused(t, e.Remove("/web", false), http.StatusConflict,
		`cannot remove container "/web": container is running: stop the container before removing or force remove`)
	if err := e.Stop("web", time.Minute); err != nil {
		t.Fatal(err)
	}
	if c := state("exited"); c.State.ExitCode != 128+15 || c.State.Pid != 0 || c.NetworkSettings.IPAddress != "" || c.State.FinishedAt.IsZero() {
		t.Errorf("exited: %+v %+v", c.State, c.NetworkSettings)
	}
	if n := len(lab.Plan().Hosts); n != 0 {
		t.Errorf("%d hosts are left in the lab", n)
	}
	if err := e.Start("web"); err != nil {
		t.Fatal(err)
	}
	state("running")
	if err := e.Remove("web", true); err != nil {
		t.Fatal(err)
	}
	_, err := e.Inspect("web")
	refused(t, err, http.StatusNotFound, "No such container: web")
}

// TestPatience: who does not listen to SIGTERM is killed.
func TestPatience(t *testing.T) {
	e := newFake(t, "").engine(t)
	r := sleeper("")
	r.Cmd = []string{"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"}
	id := start(t, e, "deaf", r)
	waitLog(t, e, id, "ready\n")
	if err := e.Stop(id, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if c, _ := e.Inspect(id); c.State.ExitCode != 128+9 {
		t.Errorf("%+v", c.State)
	}
}

// TestAddresses: the lowest free one, handed out again as soon as it is free.
func TestAddresses(t *testing.T) {
	e := newFake(t, "").engine(t)
	for i, name := range []string{"aa", "bb", "cc"} {
		start(t, e, name, sleeper(""))
		if got, want := address(t, e, name, "bridge"), "172.17.0."+string(rune('2'+i)); got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
	if err := e.Stop("aa", time.Minute); err != nil {
		t.Fatal(err)
	}
	start(t, e, "dd", sleeper(""))
	if got := address(t, e, "dd", "bridge"); got != "172.17.0.2" {
		t.Errorf("dd has %s, want the address that aa had", got)
	}
	if err := e.Start("aa"); err != nil {
		t.Fatal(err)
	}
	if got := address(t, e, "aa", "bridge"); got != "172.17.0.5" {
		t.Errorf("aa has %s now", got)
	}
}

func TestNames(t *testing.T) {
	e := newFake(t, "").engine(t)
	id := create(t, e, "web", sleeper(""))
	_, err := e.Create("web", sleeper(""))
	refused(t, err, http.StatusConflict, `Conflict. The container name "/web" is already in use by container "`+id+
		`". You have to remove (or rename) that container to be able to reuse that name.`)
	for _, name := range []string{"a b", "-x", "x", "ü", "a/b"} {
		_, err := e.Create(name, sleeper(""))
		refused(t, err, http.StatusBadRequest, "Invalid container name ("+name+"), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
	}
	for _, name := range []string{strings.Repeat("x", 64), "gateway"} {
		if _, err := e.Create(name, sleeper("")); err == nil {
			t.Errorf("%s, which is no name for a host, was accepted", name)
		}
	}
	seen := map[string]bool{}
	for range 50 {
		c, err := e.Inspect(create(t, e, "", sleeper("")))
		if err != nil || seen[c.Name] || !strings.Contains(c.Name, "_") {
			t.Fatalf("%s, %v: want a name that nobody has", c.Name, err)
		}
		seen[c.Name] = true
	}
	if _, err := e.Inspect(""); err == nil {
		t.Error("everybody's id begins with nothing")
	}
}

// TestStartFails: of a container that cannot be started nothing is left but the container, with the reason.
func TestStartFails(t *testing.T) {
	lab := newFake(t, "")
	e := lab.engine(t)
	r := sleeper("")
	r.Cmd = []string{"no-such-program"}
	create(t, e, "typo", r)
	refused(t, e.Start("typo"), http.StatusBadRequest,
		`failed to create task for container: unable to start container process: exec: "no-such-program": executable file not found in $PATH`)
	if c, _ := e.Inspect("typo"); c.State.Status != "created" || c.State.ExitCode != 127 {
		t.Errorf("%+v", c.State)
	}
	create(t, e, "lost", sleeper("nowhere"))
	refused(t, e.Start("lost"), http.StatusNotFound, "failed to set up container networking: network nowhere not found")
	r = sleeper("")
	r.HostConfig.AutoRemove = true
	create(t, e, "gone", r)
	lab.fail["AddHost"] = errors.New("told to")
	refused(t, e.Start("gone"), http.StatusInternalServerError, "failed to set up container networking: told to")
	_, err := e.Inspect("gone")
	refused(t, err, http.StatusNotFound, "No such container: gone")
	if hosts := lab.Plan().Hosts; len(hosts) != 0 {
		t.Errorf("left: %+v", hosts)
	}
}

// TestImages: what runs without a command, and what is said of it.
func TestImages(t *testing.T) {
	e := newFake(t, "").engine(t)
	without := ""
	if _, err := exec.LookPath("busybox"); err != nil {
		without = " (for want of busybox on this machine, its own program)"
	}
	for _, test := range []struct{ image, line, path string }{
		{"nginx:alpine", "image nginx:alpine is not used: uswitch serve -p 80, uswitch's own small web server, runs on this machine's own files, in a network namespace of its own", "uswitch"},
		{"busybox", "image busybox is not used: sh" + without + " runs on this machine's own files, in a network namespace of its own", "sh"},
	} {
		made, err := e.Create("", types.CreateRequest{Config: types.Config{Image: test.image}})
		if err != nil || !slices.Equal(made.Warnings, []string{test.line}) {
			t.Errorf("%s: %q, %v", test.image, made.Warnings, err)
			continue
		}
		if c, _ := e.Inspect(made.ID); c.Path != test.path || c.Image != test.image {
			t.Errorf("%s runs %s", c.Image, c.Path)
		}
	}
	_, err := e.Create("", types.CreateRequest{Config: types.Config{Image: "some/thing"}})
	refused(t, err, http.StatusBadRequest,
		"no command specified: nothing here stands in for the image some/thing, so say what is to run: uswitch docker run some/thing COMMAND")
}
