package tap

import (
	"errors"
	"io/fs"

	"uswitch/switch/frame"
)

var (
	// ErrGone is what a Device answers when it is no more: closed, deleted from inside, or gone with its namespace. It
	// does not come back; open a new one.
	ErrGone = frame.ErrLinkGone

	// ErrDown is what Write answers while the card is down (ip link set eth0 down). The frame is lost, the device stays.
	ErrDown = frame.ErrLinkDown

	// ErrFull is what Write answers when the kernel has no room for the frame. The frame is lost, the device stays.
	ErrFull = frame.ErrLinkFull

	// ErrOffload is what Write answers to a frame that is unfinished (its Offload asks for a checksum or for
	// segmentation) when the device cannot pass that on: because it is a plain one, or because the Offload is impossible.
	ErrOffload = errors.New("the device cannot finish this frame")

	// ErrNoOffload is wrapped by the error of Open when this kernel has no cards with offload; open a plain one.
	ErrNoOffload = errors.New("this kernel's TAPs cannot carry unfinished frames (IFF_VNET_HDR)")

	// ErrOwned is wrapped by the error of Create when the namespace belongs to a lab that is up.
	ErrOwned = errors.New("in use by a lab that is up")

	// ErrReplaced is wrapped by errors about a Namespace whose name or path now leads to another one, or to none.
	ErrReplaced = errors.New("no longer the namespace that it was")
)

// takenError says that a name is taken, and by whom; it is fs.ErrExist to errors.Is.
type takenError string

func (e takenError) Error() string      { return string(e) }
func (takenError) Is(target error) bool { return target == fs.ErrExist }
