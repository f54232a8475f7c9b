//go:build !linux

package world

import "uswitch/tap"

func endInside(tap.Namespace) {}
