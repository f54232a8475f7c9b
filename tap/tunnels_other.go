//go:build !linux

package tap

// TunnelDevices knows none: only Linux has them.
func TunnelDevices(uint16) []string { return nil }
