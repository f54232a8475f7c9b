package view_test

import (
	"bytes"
	"net/netip"
	"testing"

	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/tools/view"
)

func TestDockerHost(t *testing.T) {
	const want = `# What Docker would have put on a machine for lab w; rules: classic.
# Docker draws by lot what comes after br- and veth, and MAC addresses. Its own bridge, docker0, is shown if somebody is on it.

BRIDGE  NETWORK  SUBNET         ADDRESS        MTU   KIND
br0     w_br0    11.11.11.0/24  11.11.11.1/24  1500  bridge
vault   w_vault  10.0.0.0/24    10.0.0.1/24    1400  internal

VETH         BRIDGE  CONTAINER  CARD  ADDRESS        MAC
veth0123456  br0     RED        eth0  11.11.11.2/24  02:42:0b:0b:0b:02

# iptables-save
*raw
COMMIT
`
	prefix := netip.MustParsePrefix
	var b bytes.Buffer
	err := view.DockerHost(&b, &dockerhost.Host{
		Lab: "w", Dialect: "classic", Iptables: "*raw\nCOMMIT\n",
		Bridges: []dockerhost.Bridge{
			{Name: "br0", Network: "w_br0", Subnet: prefix("11.11.11.0/24"), Address: prefix("11.11.11.1/24"), MTU: 1500},
			{Name: "vault", Network: "w_vault", Subnet: prefix("10.0.0.0/24"), Address: prefix("10.0.0.1/24"), MTU: 1400, Internal: true},
		},
		Veths: []dockerhost.Veth{{Name: "veth0123456", Bridge: "br0", Container: "RED", NIC: "eth0", Address: prefix("11.11.11.2/24"), MAC: red}},
	})
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, b.String(), want)
	}
}
