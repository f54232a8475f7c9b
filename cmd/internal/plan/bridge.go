package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// What Docker's own bridge is called.
const (
	defaultBridgeDocker = "bridge"  // as a network
	defaultBridgeName   = "docker0" // as a device
)

// predefined are the networks that every Docker host has.
var predefined = []string{"bridge", "host", "none"}

// ID returns the network's 64 hexadecimal digits. Docker draws them by lot; here they come from the network's name there,
// and are the same in every run.
func (n *Network) ID() string { return networkID(n.Docker) }

func networkID(docker string) string {
	sum := sha256.Sum256([]byte("network\x00" + docker))
	return hex.EncodeToString(sum[:])
}

// IsDefaultBridge reports whether this is Docker's own bridge, docker0, on which hosts are if they ask for no network. It
// differs from others above all in that names mean nothing there.
func (n *Network) IsDefaultBridge() bool { return n.Docker == defaultBridgeDocker }

// switchNames gives every network of the file the name of its switch, by key, and refuses names that are there twice.
func (b *builder) switchNames(keys []string) {
	b.switches = make(map[string]string)
	seen, docker := make(map[string]string), make(map[string]string)
	if b.defaultBridge {
		seen[defaultBridgeName] = "network_mode: bridge"
	}
	for _, name := range predefined {
		docker[name] = "Docker itself"
	}
	for _, key := range keys {
		at := path{"networks", key}
		full := b.dockerName(key)
		if owner, taken := docker[full]; taken {
			b.wrong(at.to("name"), "network with name %s already exists: %s has it", full, owner)
		}
		docker[full] = key
		name := b.project.Networks[key].DriverOpts[optionName]
		switch {
		case name != "":
			at = at.to("driver_opts", optionName)
			if err := ValidateInterfaceName(name); err != nil {
				b.wrong(at, "%v", err)
			} else if slices.Contains(reserved, name) {
				b.wrong(at, "%q means something else to uswitch", name)
			}
		case key != "default" && ValidateInterfaceName(key) == nil:
			name = key
		default:
			name = "br-" + networkID(full)[:12]
		}
		if owner, taken := seen[name]; taken {
			b.wrong(at, "bridge name %s is already used, by %s", name, owner)
		}
		seen[name] = key
		b.switches[key] = name
	}
}

// dockerName returns what docker network ls would call a network of the file.
func (b *builder) dockerName(key string) string {
	if given, ok := mapping(b.file, "networks", key)["name"].(string); ok && given != "" {
		return given
	}
	return b.plan.Name + "_" + key
}
