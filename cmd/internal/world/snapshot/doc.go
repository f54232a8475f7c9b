// Package snapshot describes a lab that is up as plain data, for package ask: its hosts' namespaces are looked into - the
// addresses, routes, neighbours and listeners that are there now, whatever the lab file said - and nothing is changed.
package snapshot
