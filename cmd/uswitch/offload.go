package main

import (
	"cmp"
	"fmt"
	"os"
)

// offloadVariable says what --offload is where it is not given, for whoever wants every lab of a machine one way.
const offloadVariable = "USWITCH_OFFLOAD"

// plain reads --offload, and reports whether every frame has to be as on a wire.
func plain(flag string) (bool, error) {
	switch value := cmp.Or(flag, os.Getenv(offloadVariable), "on"); {
	case value == "on":
		return false, nil
	case value == "off":
		return true, nil
	case flag != "":
		return false, usageError{fmt.Errorf("--offload %s: want on or off", value)}
	default:
		return false, fmt.Errorf("%s=%s in the environment: want on or off", offloadVariable, value)
	}
}
