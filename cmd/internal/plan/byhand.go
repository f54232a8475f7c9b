package plan

import (
	"crypto/sha256"
	"net/netip"

	"uswitch/switch/frame"
)

// What people make by hand, as ip does it: nothing is chosen for it but a MAC address.

// ByHand returns a network that is no more than a device, and down, as a new device of ip's is.
func (p *Plan) ByHand(kind NetworkKind, name string) Network {
	return Network{Kind: kind, Name: name, Docker: p.Name + "_" + name, NoAddress: kind != KindCable, GatewayMAC: p.DrawMAC(name), MTU: defaultMTU,
		Masquerade: true, ICC: true, GatewayMode: "nat", HostIP: netip.IPv4Unspecified(), AgeingTime: defaultAgeingTime,
		Port: DefaultPort(), Down: kind != KindCable}
}

// DefaultPort returns the settings of a port about which nobody says anything.
func DefaultPort() PortFlags { return defaultFlags }

// DrawMAC returns the address of a device of the machine's that was given none. The kernel draws one by lot; here it follows from the
// names, and is the same in every run.
func (p *Plan) DrawMAC(device string) frame.MAC {
	sum := sha256.Sum256([]byte("device\x00" + p.Name + "\x00" + device))
	mac := frame.MAC(sum[:6])
	mac[0] = mac[0]&^1 | 2
	return mac
}
