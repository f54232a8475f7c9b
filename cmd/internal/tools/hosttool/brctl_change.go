package hosttool

import (
	"context"
	"net/http"
	"strconv"

	"uswitch/cmd/internal/control/api"
)

// brctlUsage says what stands behind each command of brctl that changes something (bridge-utils 1.7, brctl_cmd.c).
var brctlUsage = map[string]struct {
	args  int
	usage string
}{
	"addbr":     {1, "addbr <bridge>\t\tadd bridge"},
	"delbr":     {1, "delbr <bridge>\t\tdelete bridge"},
	"addif":     {2, "addif <bridge> <device>\tadd interface to bridge"},
	"delif":     {2, "delif <bridge> <device>\tdelete interface from bridge"},
	"setageing": {2, "setageing <bridge> <time>\t\tset ageing time"},
}

// brctlChange answers the commands of brctl that change something.
func (t Tool) brctlChange(ctx context.Context, command string, args []string) error {
	if u := brctlUsage[command]; len(args) < u.args {
		return refuse(1, "Incorrect number of arguments for command\nUsage: brctl %s", u.usage)
	}
	devices, err := t.devices(ctx)
	if err != nil {
		return err
	}
	name := args[0]
	bridge, exists := named(devices, name)
	isBridge := exists && bridge.Kind == api.KindBridge
	var port api.Device
	if command == "addif" || command == "delif" {
		there := false
		if port, there = named(devices, args[1]); !isBridge {
			return refuse(1, "bridge %s does not exist!", name)
		} else if !there {
			return refuse(1, "interface %s does not exist!", args[1])
		}
	}
	none := ""
	switch command {
	case "addbr":
		if exists {
			return refuse(1, "device %s already exists; can't create bridge with the same name", name)
		}
		return t.Lab.Do(ctx, http.MethodPost, "/v1/links", nil, api.LinkAdd{LinkEnd: api.LinkEnd{Name: name}, Kind: api.KindBridge}, nil)
	case "delbr":
		if !isBridge {
			return refuse(1, "bridge %s doesn't exist; can't delete it", name)
		}
		if !bridge.Down {
			return refuse(1, "bridge %s is still up; can't delete it", name)
		}
		return t.Lab.Do(ctx, http.MethodDelete, "/v1/links", nil, api.LinkDelete{Dev: name}, nil)
	case "addif":
		if port.Master != "" {
			return refuse(1, "device %s is already a member of a bridge; can't add it to bridge %s.", port.Name, name)
		}
		if port.Kind != api.KindVeth {
			return refuse(1, "can't add %s to bridge %s: Invalid argument", port.Name, name)
		}
		return t.Lab.Do(ctx, http.MethodPost, "/v1/links/set", nil, api.LinkChange{Dev: port.Name, Master: &name}, nil)
	case "delif":
		if port.Master != name {
			return refuse(1, "device %s is not a port of %s", port.Name, name)
		}
		return t.Lab.Do(ctx, http.MethodPost, "/v1/links/set", nil, api.LinkChange{Dev: port.Name, Master: &none}, nil)
	}
	seconds, err := strconv.ParseFloat(args[1], 64)
	if err != nil || seconds < 0 {
		return refuse(1, "bad ageing time value")
	}
	if !isBridge {
		return refuse(1, "set ageing time failed: No such device")
	}
	return t.Lab.Do(ctx, http.MethodPost, "/v1/set", nil, api.SetRequest{Kind: "network", Name: name,
		Values: map[string]string{"ageing_time": strconv.Itoa(int(seconds))}}, nil)
}
