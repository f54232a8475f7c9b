package engine_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/docker/types"
)

// warnings returns what the API says of a request to create a container, besides what becomes of the image.
func warnings(t *testing.T, e *engine.Engine, request string) []string {
	t.Helper()
	answer := httptest.NewRecorder()
	e.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/containers/create", strings.NewReader(request)))
	var made types.CreateResponse
	if err := json.Unmarshal(answer.Body.Bytes(), &made); err != nil || made.ID == "" {
		t.Fatalf("%s: %v: %s", request, err, answer.Body)
	}
	return made.Warnings[1:]
}

// TestEveryKey walks every field of Docker's Config and HostConfig (testdata/keys.txt, of its types in API 1.51): each is acted
// on, so that the answer is another one or the engine knows the value, or the answer warns of it; or it is one of a few that
// say nothing.
func TestEveryKey(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	text, err := os.ReadFile("testdata/keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]map[string]bool{"Config": fields(t, types.Config{Hostname: "h", ExposedPorts: map[string]struct{}{"1/tcp": {}}, StopSignal: "s", StopTimeout: new(int)}),
		"HostConfig": fields(t, types.HostConfig{Sysctls: map[string]string{"net.ipv4.ip_forward": "1"}})}
	harmless := []string{"ArgsEscaped", "OnBuild", "Shell", "ContainerIDFile", "ConsoleSize", "Annotations"}
	for line := range strings.Lines(string(text)) {
		where, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		key, value, _ := strings.Cut(rest, " ")
		request := fmt.Sprintf(`{"Image": "busybox", %q: %s}`, key, value)
		if where == "HostConfig" {
			request = fmt.Sprintf(`{"Image": "busybox", "HostConfig": {%q: %s}}`, key, value)
		}
		warned := warnings(t, e, request)
		isWarned := len(warned) == 1 && strings.HasPrefix(warned[0], key+" is not acted on")
		isActed := known[where][key] && key != "Domainname" && len(warned) == 0
		isHarmless := slices.Contains(harmless, key) && len(warned) == 0
		if n := len(slices.DeleteFunc([]bool{isWarned, isActed, isHarmless}, func(b bool) bool { return !b })); n != 1 {
			t.Errorf("%s: acted on %v, warned of %v, harmless %v: %q", key, isActed, isWarned, isHarmless, warned)
		}
	}
}

// TestEveryEndpointKey walks every field of Docker's EndpointSettings and EndpointIPAMConfig: each is acted on, or is one of those
// that only tell what became of an attachment, or is named: by a warning when a container is created, by a refusal when one is
// connected, whose answer has no room for warnings.
func TestEveryEndpointKey(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	if _, err := e.CreateNetwork(types.NetworkCreateRequest{Name: "front"}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(`DriverOpts {"com.docker.network.endpoint.ifname": "x0"}
IPAMConfig {"IPv6Address": "fd00::2"} fd00::2
IPAMConfig {"LinkLocalIPs": ["169.254.3.3"]} LinkLocalIPs
IPAMConfig {"New": "x"} New
New 7
IPAMConfig {"IPv4Address": "172.18.0.77"} 172.18.0.77
Aliases ["other"] other
MacAddress "02:42:00:00:00:09" 02:42:00:00:00:09
GwPriority 7 7
Links ["db"] db
NetworkID "n"
EndpointID "e"
Gateway "172.18.0.1"
IPAddress "172.18.0.9"
IPPrefixLen 16
IPv6Gateway "fd00::1"
GlobalIPv6Address "fd00::2"
GlobalIPv6PrefixLen 64
DNSNames ["x"]
`) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		var value json.RawMessage
		in := json.NewDecoder(strings.NewReader(rest))
		if err := in.Decode(&value); err != nil {
			t.Fatal(err)
		}
		word := strings.TrimSpace(rest[in.InputOffset():])
		settings := fmt.Sprintf(`{%q: %s}`, key, value)
		name := key
		if key == "IPAMConfig" {
			name = word
		}
		named := slices.Contains([]string{"DriverOpts", "LinkLocalIPs", "New"}, name)
		about := name + " is not"

		warned := warnings(t, e, fmt.Sprintf(`{"Image": "busybox", "HostConfig": {"NetworkMode": "front"}, "NetworkingConfig": {"EndpointsConfig": {"front": %s}}}`, settings))
		if len(warned) > 1 || (len(warned) == 1 && strings.HasPrefix(warned[0], "network front: "+about)) != named {
			t.Errorf("create with %s: %q", settings, warned)
		}
		id := create(t, e, "", sleeper("bridge"))
		answer := httptest.NewRecorder()
		e.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/networks/front/connect",
			strings.NewReader(fmt.Sprintf(`{"Container": %q, "EndpointConfig": %s}`, id, settings))))
		is, err := e.Inspect(id)
		if err != nil {
			t.Fatal(err)
		}
		there := is.NetworkSettings.Networks["front"]
		switch text, _ := json.Marshal(there); {
		case named && (answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), "network front: "+about) || there != nil):
			t.Errorf("connect with %s: %d %s %s", settings, answer.Code, answer.Body, text)
		case !named && (answer.Code != http.StatusOK || there == nil || !strings.Contains(string(text), word)):
			t.Errorf("connect with %s: %d %s %s", settings, answer.Code, answer.Body, text)
		}
	}
}

// fields are the keys of a struct.
func fields(t *testing.T, v any) map[string]bool {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for key := range maps.Keys(all) {
		keys[key] = true
	}
	return keys
}

// TestUsualSaysNothing: what Docker's own client sends where nobody asked for anything is not warned of; and of security_opt
// each is told of that nobody acts on.
func TestUsualSaysNothing(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	usual := `{"Image": "busybox", "Volumes": {}, "OnBuild": null, "HostConfig": {"Binds": null, "LogConfig": {"Type": "", "Config": {}},
		"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "ConsoleSize": [40, 80], "MemorySwappiness": -1, "BlkioDeviceReadBps": [],
		"Memory": 0, "OomKillDisable": false, "Init": null, "UTSMode": "", "CapDrop": ["NET_RAW"]%s}}`
	if got := warnings(t, e, fmt.Sprintf(usual, "")); len(got) > 0 {
		t.Errorf("%q", got)
	}
	got := warnings(t, e, fmt.Sprintf(usual, `, "SecurityOpt": ["no-new-privileges", "seccomp=x"], "New": 7`))
	if want := []string{"New is not known here, and not acted on", `SecurityOpt "seccomp=x" is not acted on`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRights: what is taken from a container is taken from its command and, unless they say otherwise, from the programs
// beside it.
func TestRights(t *testing.T) {
	t.Parallel()
	f := newFake(t, "")
	e := f.engine(t)
	r := sleeper("none")
	r.User, r.HostConfig.CapDrop, r.HostConfig.CapAdd, r.HostConfig.ReadonlyRootfs = "4711:12", []string{"all"}, []string{"CAP_NET_ADMIN"}, true
	r.HostConfig.SecurityOpt, r.HostConfig.Ulimits = []string{"no-new-privileges:true"}, []types.Ulimit{{Name: "nofile", Hard: 9, Soft: -1}}
	_, err := e.Create("wrong", r)
	refused(t, err, http.StatusBadRequest, "ulimits: nofile: ulimit soft limit must be less than or equal to hard limit: -1 > 9")
	r.HostConfig.Ulimits[0].Soft = 8
	start(t, e, "bound", r)
	check := func(what, want string) {
		t.Helper()
		f.mu.Lock()
		defer f.mu.Unlock()
		set := "all"
		if f.rights.Capabilities != nil {
			set = fmt.Sprintf("%x", *f.rights.Capabilities)
		}
		got := fmt.Sprintf("%v %s %v %v %v", *f.rights.User, set, f.rights.NoNewPrivileges, f.rights.ReadOnly, f.rights.Limits)
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("the command", "{4711 12 []} 1000 true true [{7 8 9}]")
	beside := func(config types.ExecConfig) {
		t.Helper()
		config.Cmd = []string{"true"}
		made, err := e.Exec("bound", config)
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		e.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/exec/"+made.ID+"/start", strings.NewReader(`{"Detach": true}`)))
		if answer.Code != http.StatusOK {
			t.Fatal(answer.Body)
		}
	}
	beside(types.ExecConfig{})
	check("beside it", "{4711 12 []} 1000 true true [{7 8 9}]")
	beside(types.ExecConfig{User: "0:0", Privileged: true})
	check("beside it, privileged", "{0 0 []} all true true [{7 8 9}]")

	r.User = "nobody-of-this-name"
	err = e.Start(create(t, e, "unknown", r))
	refused(t, err, http.StatusInternalServerError, "unable to find user nobody-of-this-name: no matching entries in passwd file")
	r.HostConfig.CapDrop = []string{"NET_ROW"}
	_, err = e.Create("misspelt", r)
	refused(t, err, http.StatusBadRequest, `cap_drop: invalid capability: "NET_ROW": want a name such as NET_ADMIN, or ALL`)
}
