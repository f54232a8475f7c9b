package engine_test

import (
	"fmt"
	"net/http"
	"testing"

	"uswitch/cmd/internal/docker/types"
)

// TestConnectLinks: what docker network connect --link asks for goes with the interface, for a container that runs and for one that
// is started later; whom it means need not be there.
func TestConnectLinks(t *testing.T) {
	t.Parallel()
	lab := newFake(t, "name: docker\nservices: {SVC: {networks: [front]}}\nnetworks: {front: {}, back: {}}\nx-uswitch: {docker0: true, uplink: sim}")
	e := lab.engine(t)
	front, back := "docker_front", "docker_back"
	links := func(host, network, want string) {
		t.Helper()
		for _, i := range lab.Plan().Host(host).Interfaces {
			if n := lab.Plan().Network(i.Network); n.Docker == network {
				if got := fmt.Sprint(i.Links); got != want {
					t.Errorf("%s on %s: links %s, want %s", host, network, got, want)
				}
				return
			}
		}
		t.Errorf("%s is not on %s", host, network)
	}
	asking := func(container string, links ...string) types.NetworkConnectRequest {
		return types.NetworkConnectRequest{Container: container, EndpointConfig: &types.EndpointSettings{Links: links}}
	}
	connect := func(network, container string, links ...string) {
		t.Helper()
		if err := e.Connect(network, asking(container, links...)); err != nil {
			t.Fatal(err)
		}
	}
	start(t, e, "web", sleeper(front))
	connect(back, "web", "db:store", "cache")
	links("web", back, "[{db store} {cache cache}]")
	links("web", front, "[]")
	if h := lab.Plan().Host("web"); len(h.ExtraHosts) > 0 {
		t.Errorf("in /etc/hosts: %v", h.ExtraHosts)
	}

	id := create(t, e, "late", sleeper(front))
	connect(back, "late", "db:store")
	if err := e.Start(id); err != nil {
		t.Fatal(err)
	}
	links("late", back, "[{db store}]")

	connect(back, "docker-SVC-1", "db:store")
	links("SVC", back, "[{db store}]")
	for _, name := range []string{"late", "docker-SVC-1"} {
		c, err := e.Inspect(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.NetworkSettings.Networks[back].Links); got != "[db:store]" {
			t.Errorf("%s is shown with links %s", name, got)
		}
	}

	start(t, e, "other", sleeper(front))
	wrong := "invalid config for network docker_back: invalid endpoint settings:\n"
	for link, want := range map[string]string{
		"db:a:b": `bad format for links: "db:a:b": want CONTAINER or CONTAINER:ALIAS`,
		":a":     `bad format for links: ":a": want CONTAINER or CONTAINER:ALIAS`,
		"db:a b": `link "a b": want letters, digits, '_', '.' and '-', with a letter or a digit first`,
	} {
		refused(t, e.Connect(back, asking("other", link)), http.StatusBadRequest, wrong+want)
	}
	refused(t, e.Connect("bridge", asking("other", "db")), http.StatusBadRequest,
		"cannot link other on bridge while it runs: the default network has no names, and links there are written when a container starts")
	if c, _ := e.Inspect("other"); len(c.NetworkSettings.Networks) != 1 {
		t.Errorf("connected all the same: %v", c.NetworkSettings.Networks)
	}
}
