package client_test

import (
	"strings"
	"testing"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/types"
)

func TestFilters(t *testing.T) {
	containers := func() []types.Summary {
		return []types.Summary{
			{ID: "aa11", Names: []string{"/web"}, State: "running", Labels: map[string]string{"tier": "front"}, Ports: []types.Port{{PrivatePort: 80, PublicPort: 8080, Type: "tcp"}},
				NetworkSettings: types.SummaryNetworks{Networks: map[string]*types.EndpointSettings{"front": nil}}},
			{ID: "bb22", Names: []string{"/db"}, State: "exited", NetworkSettings: types.SummaryNetworks{Networks: map[string]*types.EndpointSettings{"bridge": nil}}},
		}
	}
	for filter, want := range map[string]string{
		"": "aa11 bb22", "name=web": "aa11", "name=^d": "bb22", "id=bb": "bb22", "status=exited": "bb22", "network=front": "aa11",
		"label=tier": "aa11", "label=tier=back": "", "publish=8080": "aa11", "publish=8080/udp": "", "name=web name=db": "aa11 bb22", "name=web status=exited": "",
	} {
		rows, err := client.FilterContainers(containers(), strings.Fields(filter))
		var ids []string
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		if got := strings.Join(ids, " "); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", filter, got, err, want)
		}
	}
	for _, filter := range []string{"web", "colour=red"} {
		if _, err := client.FilterContainers(containers(), []string{filter}); err == nil {
			t.Errorf("%s was accepted", filter)
		}
	}
	networks := []types.Network{{Name: "bridge", Driver: "bridge"}, {Name: "none", Driver: "null"}, {Name: "front", Driver: "bridge"}}
	rows, err := client.FilterNetworks(networks, []string{"driver=bridge", "type=custom"})
	if err != nil || len(rows) != 1 || rows[0].Name != "front" {
		t.Errorf("%+v, %v", rows, err)
	}
}
