// Package control is the wing of the control socket. It has two rooms, and nothing at its own door:
//
//	tools, teach, docker/client, cmd/uswitch            session: one uswitch run
//	       |  what can be asked, and how                    |  opens the socket of a lab that is up
//	       v                                                v
//	 control/api  <------ the same structs ---------  control/server --> world, explain, docker/engine
//	       |                                                ^
//	       +----------- /run/uswitch/LAB.sock --------------+
//
// Whoever knows api alone knows all that there is to know of a running lab, and drags no switch, no gateway and no simulator
// with it; a test in test/ follows the imports to their end.
package control
