//! Calls that `virt` does not wrap, or wraps in a way that leaks, panics or hides errors. All `unsafe` code but the
//! console's stream is here.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::mpsc::Sender;

use tokio::sync::broadcast;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::Error as VirtError;
use virt_sys as sys;

use crate::Error;
use crate::event::{Event, Lifecycle};
use crate::state::State;
use crate::watch::Signal;

/// Starts libvirt's event loop in a thread of its own, once per process. Must come before the first connection: only
/// connections opened later take part in it.
pub(crate) fn start_event_loop() -> Result<(), Error> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        virt::error::clear_error_callback(); // else libvirt prints every error to stderr
        virt::event::event_register_default_impl().map_err(|e| e.message().to_owned())?;
        // a timer keeps the loop turning, so that what another thread adds is noticed soon
        virt::event::event_add_timeout(500, |_, _| {}, ptr::null_mut()).map_err(|e| e.message().to_owned())?;
        std::thread::Builder::new()
            .name("virt-events".to_owned())
            .spawn(|| {
                loop {
                    if let Err(error) = virt::event::event_run_default_impl() {
                        tracing::warn!(%error, "libvirt's event loop");
                        // not a busy loop, should the error persist
                        std::thread::sleep(std::time::Duration::from_millis(100));
                    }
                }
            })
            .map(|_| ())
            .map_err(|e| e.to_string())
    });
    started.clone().map_err(|reason| Error::Worker { call: "event loop", domain: String::new(), reason })
}

fn check(result: c_int) -> Result<c_int, VirtError> {
    if result < 0 { Err(VirtError::last_error()) } else { Ok(result) }
}

/// State and reason. (`virt` ignores a failure here.)
pub(crate) fn state(domain: &Domain) -> Result<State, VirtError> {
    let (mut state, mut reason) = (0, 0);
    // SAFETY: the domain pointer lives as long as `domain`; both out-pointers are valid for the call.
    check(unsafe { sys::virDomainGetState(domain.as_ptr(), &mut state, &mut reason, 0) })?;
    Ok(State::from_raw(state, reason))
}

/// Asks the guest to give up the device of that alias.
pub(crate) fn detach_alias(domain: &Domain, alias: &CStr) -> Result<(), VirtError> {
    // SAFETY: both pointers are valid for the call, libvirt copies the string.
    check(unsafe { sys::virDomainDetachDeviceAlias(domain.as_ptr(), alias.as_ptr(), sys::VIR_DOMAIN_AFFECT_LIVE) })?;
    Ok(())
}

/// Aborts the domain's job.
pub(crate) fn abort_job(domain: &Domain) -> Result<(), VirtError> {
    // SAFETY: the domain pointer lives as long as `domain`.
    check(unsafe { sys::virDomainAbortJob(domain.as_ptr()) })?;
    Ok(())
}

/// A list of typed parameters, owned by libvirt's allocator.
pub(crate) struct Params {
    list: sys::virTypedParameterPtr,
    len: c_int,
    capacity: c_int,
}

impl Params {
    pub(crate) fn new() -> Params {
        Params { list: ptr::null_mut(), len: 0, capacity: 0 }
    }

    pub(crate) fn string(&mut self, name: &CStr, value: &str) -> Result<(), VirtError> {
        let value = CString::new(value)?;
        // SAFETY: the three fields describe a list that libvirt may grow; name and value are copied.
        check(unsafe { sys::virTypedParamsAddString(&mut self.list, &mut self.len, &mut self.capacity, name.as_ptr(), value.as_ptr()) })?;
        Ok(())
    }

    pub(crate) fn u64(&mut self, name: &CStr, value: u64) -> Result<(), VirtError> {
        // SAFETY: as in `string`.
        check(unsafe { sys::virTypedParamsAddULLong(&mut self.list, &mut self.len, &mut self.capacity, name.as_ptr(), value) })?;
        Ok(())
    }

    pub(crate) fn int(&mut self, name: &CStr, value: i32) -> Result<(), VirtError> {
        // SAFETY: as in `string`.
        check(unsafe { sys::virTypedParamsAddInt(&mut self.list, &mut self.len, &mut self.capacity, name.as_ptr(), value) })?;
        Ok(())
    }

    /// The value of that name; `None` if it is missing or of another type.
    pub(crate) fn get_u64(&self, name: &CStr) -> Option<u64> {
        let mut value = 0;
        // SAFETY: list and length belong together, the out-pointer is valid.
        let found = unsafe { sys::virTypedParamsGetULLong(self.list, self.len, name.as_ptr(), &mut value) };
        (found == 1).then_some(value)
    }

    pub(crate) fn get_int(&self, name: &CStr) -> Option<i32> {
        let mut value = 0;
        // SAFETY: as in `get_u64`.
        let found = unsafe { sys::virTypedParamsGetInt(self.list, self.len, name.as_ptr(), &mut value) };
        (found == 1).then_some(value)
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        // SAFETY: list and length are libvirt's own; nobody else frees them.
        unsafe { sys::virTypedParamsFree(self.list, self.len) };
    }
}

/// Type (`virDomainJobType`) and statistics of the running job, or of the last completed one.
pub(crate) fn job_stats(domain: &Domain, completed: bool) -> Result<(c_int, Params), VirtError> {
    let mut params = Params::new();
    let mut kind = 0;
    let flags = if completed { sys::VIR_DOMAIN_JOB_STATS_COMPLETED | sys::VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED } else { 0 };
    // SAFETY: libvirt allocates the list into `params`, which frees it.
    check(unsafe { sys::virDomainGetJobStats(domain.as_ptr(), &mut kind, &mut params.list, &mut params.len, flags) })?;
    Ok((kind, params))
}

/// Migrates through two connections of this process.
pub(crate) fn migrate_direct(domain: &Domain, dest: &Connect, params: &Params, flags: u32) -> Result<(), VirtError> {
    // SAFETY: all pointers are valid for the call; libvirt does not keep or change the parameters.
    let moved = unsafe { sys::virDomainMigrate3(domain.as_ptr(), dest.as_ptr(), params.list, params.len.unsigned_abs(), flags) };
    if moved.is_null() {
        return Err(VirtError::last_error());
    }
    // SAFETY: libvirt gave us this reference; `Domain` drops it.
    drop(unsafe { Domain::from_ptr(moved) });
    Ok(())
}

/// Lets the source's libvirtd migrate to `uri` by itself.
pub(crate) fn migrate_peer(domain: &Domain, uri: &str, params: &Params, flags: u32) -> Result<(), VirtError> {
    let uri = CString::new(uri)?;
    // SAFETY: as in `migrate_direct`.
    check(unsafe { sys::virDomainMigrateToURI3(domain.as_ptr(), uri.as_ptr(), params.list, params.len.unsigned_abs(), flags) })?;
    Ok(())
}

/// Registers all events of `conn` into `events`, and its end into `closed`.
pub(crate) fn subscribe(conn: &Connect, events: &broadcast::Sender<Event>, closed: &Sender<Signal>) -> Result<Registered, VirtError> {
    use sys::virConnectDomainEventGenericCallback as Generic;
    // SAFETY: libvirt's interface is one registration function for callbacks of many types; it calls each with
    // the signature that belongs to the event id, which is the one of the function given here, in all six cases.
    let callbacks: [(sys::virDomainEventID, Generic); 6] = unsafe {
        [
            (sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE, generic(on_lifecycle as *const ())),
            (sys::VIR_DOMAIN_EVENT_ID_REBOOT, generic(on_reboot as *const ())),
            (sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, generic(on_removed as *const ())),
            (sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, generic(on_removal_failed as *const ())),
            (sys::VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, generic(on_block_job as *const ())),
            (sys::VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, generic(on_io_error as *const ())),
        ]
    };
    let mut registered_ids = Registered(Vec::new());
    for (id, callback) in callbacks {
        let context = Box::into_raw(Box::new(events.clone())).cast::<c_void>();
        // SAFETY: `context` is owned by libvirt from here on and freed by `free_events`; no domain filter.
        let registered = unsafe {
            sys::virConnectDomainEventRegisterAny(
                conn.as_ptr(),
                ptr::null_mut(),
                id as c_int, // a small constant
                callback,
                context,
                Some(free_events),
            )
        };
        if registered < 0 {
            let error = VirtError::last_error();
            // SAFETY: a failed registration does not take the context over.
            unsafe { free_events(context) };
            unsubscribe(conn, registered_ids);
            return Err(error);
        }
        registered_ids.0.push(registered);
    }
    let context = Box::into_raw(Box::new(closed.clone())).cast::<c_void>();
    // SAFETY: as above, with `free_closed`.
    let registered = unsafe { sys::virConnectRegisterCloseCallback(conn.as_ptr(), Some(on_close), context, Some(free_closed)) };
    if registered < 0 {
        let error = VirtError::last_error();
        // SAFETY: a failed registration does not take the context over.
        unsafe { free_closed(context) };
        if error.code().to_raw() != sys::VIR_ERR_NO_SUPPORT {
            unsubscribe(conn, registered_ids);
            return Err(error); // drivers without a daemon have nothing that could close
        }
    }
    Ok(registered_ids)
}

/// The callbacks [`subscribe`] registered.
pub(crate) struct Registered(Vec<c_int>);

/// Takes all callbacks back. Each holds a reference to the connection, which would never be closed otherwise. On a dead
/// connection the daemon's part fails, which does not matter.
pub(crate) fn unsubscribe(conn: &Connect, registered: Registered) {
    for id in registered.0 {
        // SAFETY: the connection is valid and the id one of its own.
        unsafe { sys::virConnectDomainEventDeregisterAny(conn.as_ptr(), id) };
    }
    // SAFETY: the connection is valid; failure means that nothing was registered.
    unsafe { sys::virConnectUnregisterCloseCallback(conn.as_ptr(), Some(on_close)) };
}

/// # Safety
/// `callback` must be a function pointer of the type that belongs to the event it is registered for.
unsafe fn generic(callback: *const ()) -> sys::virConnectDomainEventGenericCallback {
    // SAFETY: function pointers and `Option` of them have the size of a data pointer here; the rest is the caller's.
    unsafe { std::mem::transmute(callback) }
}

/// # Safety
/// `text` must be null or a C string.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and a C string by the contract above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// # Safety
/// `domain` must be valid and `context` one made by [`subscribe`].
unsafe fn tell(domain: sys::virDomainPtr, context: *mut c_void, event: impl FnOnce(String) -> Event) {
    // SAFETY: by the contract above; libvirt frees the context only after the last callback.
    let events = unsafe { &*context.cast::<broadcast::Sender<Event>>() };
    // SAFETY: the name belongs to the domain, which outlives this callback.
    let name = unsafe { text(sys::virDomainGetName(domain)) };
    let _nobody_listens = events.send(event(name));
}

unsafe extern "C" fn on_lifecycle(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    event: c_int,
    detail: c_int,
    context: *mut c_void,
) -> c_int {
    let mut uuid: [c_char; sys::VIR_UUID_STRING_BUFLEN as usize] = [0; sys::VIR_UUID_STRING_BUFLEN as usize];
    // SAFETY: the buffer has the size libvirt asks for and stays a C string (zeroes) on failure.
    let uuid = unsafe {
        sys::virDomainGetUUIDString(domain, uuid.as_mut_ptr());
        text(uuid.as_ptr())
    };
    let change = Lifecycle::from_raw(event, detail);
    // SAFETY: libvirt passes what was registered.
    unsafe { tell(domain, context, |domain| Event::Lifecycle { domain, uuid, change }) };
    0
}

unsafe extern "C" fn on_reboot(_: sys::virConnectPtr, domain: sys::virDomainPtr, context: *mut c_void) {
    // SAFETY: libvirt passes what was registered.
    unsafe { tell(domain, context, |domain| Event::Rebooted { domain }) };
}

unsafe extern "C" fn on_removed(_: sys::virConnectPtr, domain: sys::virDomainPtr, alias: *const c_char, context: *mut c_void) {
    // SAFETY: libvirt passes what was registered, and a C string.
    unsafe {
        let alias = text(alias);
        tell(domain, context, |domain| Event::DeviceRemoved { domain, alias });
    }
}

unsafe extern "C" fn on_removal_failed(_: sys::virConnectPtr, domain: sys::virDomainPtr, alias: *const c_char, context: *mut c_void) {
    // SAFETY: libvirt passes what was registered, and a C string.
    unsafe {
        let alias = text(alias);
        tell(domain, context, |domain| Event::DeviceRemovalFailed { domain, alias });
    }
}

unsafe extern "C" fn on_block_job(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    disk: *const c_char,
    kind: c_int,
    status: c_int,
    context: *mut c_void,
) {
    // SAFETY: libvirt passes what was registered, and a C string.
    unsafe {
        let disk = text(disk);
        tell(domain, context, |domain| Event::BlockJob { domain, disk, kind, status });
    }
}

unsafe extern "C" fn on_io_error(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    path: *const c_char,
    alias: *const c_char,
    _action: c_int,
    reason: *const c_char,
    context: *mut c_void,
) {
    // SAFETY: libvirt passes what was registered, and C strings.
    unsafe {
        let (path, alias, reason) = (text(path), text(alias), text(reason));
        tell(domain, context, |domain| Event::IoError { domain, path, alias, reason });
    }
}

unsafe extern "C" fn on_close(_: sys::virConnectPtr, _reason: c_int, context: *mut c_void) {
    // SAFETY: made by `subscribe`, freed by libvirt only after the last callback.
    let closed = unsafe { &*context.cast::<Sender<Signal>>() };
    let _nobody_waits = closed.send(Signal::Closed);
}

unsafe extern "C" fn free_events(context: *mut c_void) {
    // SAFETY: made by `Box::into_raw` in `subscribe` with this type, freed once.
    drop(unsafe { Box::from_raw(context.cast::<broadcast::Sender<Event>>()) });
}

unsafe extern "C" fn free_closed(context: *mut c_void) {
    // SAFETY: made by `Box::into_raw` in `subscribe` with this type, freed once.
    drop(unsafe { Box::from_raw(context.cast::<Sender<Signal>>()) });
}
