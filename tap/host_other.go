//go:build !linux

package tap

import (
	"errors"
	"net/netip"
	"os/exec"
	"syscall"
)

// New returns an error: TAP devices and network namespaces as this package uses them are Linux's.
func New(string) (Host, error) { return nil, errors.New("tap: needs Linux") }

// NewWithNames returns New's error.
func NewWithNames(dir, _ string) (Host, error) { return New(dir) }

// Do returns an error: there are no network namespaces here.
func Do(Namespace, func() error) error { return errors.New("tap: needs Linux") }

// Precede returns false: nobody waits for a switch here.
func Precede() bool { return false }

// StartBehind starts a program; nobody has precedence.
func StartBehind(cmd *exec.Cmd) error { return cmd.Start() }

// KeepCapabilities returns false: there are none here.
func KeepCapabilities() bool { return false }

// CanKeepCapabilities returns false.
func CanKeepCapabilities() bool { return false }

// Capabilities returns none.
func Capabilities() (effective, bounding uint64) { return 0, 0 }

// CanBound returns false.
func CanBound() bool { return false }

// InUserNamespace returns false: there are none.
func InUserNamespace() bool { return false }

// OwnGroup and OwnTerminal are for real processes, and there are no namespaces here to start one in.
func OwnGroup() *syscall.SysProcAttr    { return nil }
func OwnTerminal() *syscall.SysProcAttr { return nil }

// TunnelDevices knows none: only Linux has them.
func TunnelDevices(uint16) []string { return nil }

// router asks nobody: there are no namespaces here.
type router struct{}

func (router) route(Flow, *Inside) (Decision, error) { return Decision{}, errors.ErrUnsupported }
func (router) close()                                {}

// Matching finds nothing: nobody has decided.
func (in *Inside) Matching(Decision, netip.Addr) (netip.Prefix, string) { return netip.Prefix{}, "" }

// Several reports false: nobody has decided.
func (in *Inside) Several(Decision, netip.Addr) bool { return false }

// Look returns an error: there are no namespaces here.
func Look(Namespace) (*Inside, error) { return nil, errors.ErrUnsupported }

// Set returns an error, as Look does.
func Set(Namespace, map[string]string) error { return errors.ErrUnsupported }

// LookHere returns an error, as Look does.
func LookHere() (*Inside, error) { return nil, errors.ErrUnsupported }

// Routes is Linux's.
type Routes struct{}

// OpenRoutes returns an error: only Linux is asked about its routes.
func OpenRoutes() (*Routes, error) { return nil, errors.New("tap: needs Linux") }

// Close does nothing.
func (*Routes) Close() error { return nil }

// Owns returns an error.
func (*Routes) Owns(netip.Addr) (bool, error) { return false, errors.New("tap: needs Linux") }
