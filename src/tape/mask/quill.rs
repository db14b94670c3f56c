//! Writes a value down as MessagePack with its texts masked. Names of fields and variants never pass through here as
//! texts, so that no name of a model can break the form.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::names::{Names, Rule};

/// The bytes of a value with its texts masked.
///
/// # Errors
/// A value that cannot be written down.
pub fn write<T: Serialize>(value: &T, names: &Names) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut plain = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    let quill = Quill { inner: &mut plain, names, rule: Rule::Names };
    value.serialize(quill).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// A serializer in front of another, which masks texts by the rule of the field that they stand in.
struct Quill<'a, S> {
    inner: S,
    names: &'a Names,
    rule: Rule,
}

/// A value within a container, with the rule of its place.
struct Within<'a, T: ?Sized> {
    value: &'a T,
    names: &'a Names,
    rule: Rule,
}

impl<T: Serialize + ?Sized> Serialize for Within<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Quill { inner: serializer, names: self.names, rule: self.rule })
    }
}

/// A container of another serializer, with the name of its type.
struct Open<'a, C> {
    inner: C,
    names: &'a Names,
    rule: Rule,
    of: &'static str,
}

macro_rules! forward {
    ($($name:ident $type:ty,)*) => {
        $(fn $name(self, value: $type) -> Result<S::Ok, S::Error> { self.inner.$name(value) })*
    };
}

macro_rules! open {
    ($self:ident, $of:expr, $inner:expr) => {{
        let (names, rule) = ($self.names, $self.rule);
        Ok(Open { inner: $inner?, names, rule, of: $of })
    }};
}

type Done<S> = Result<<S as Serializer>::Ok, <S as Serializer>::Error>;

impl<'a, S: Serializer> Serializer for Quill<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Open<'a, S::SerializeSeq>;
    type SerializeTuple = Open<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Open<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Open<'a, S::SerializeTupleVariant>;
    type SerializeMap = Open<'a, S::SerializeMap>;
    type SerializeStruct = Open<'a, S::SerializeStruct>;
    type SerializeStructVariant = Open<'a, S::SerializeStructVariant>;

    forward! {
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_f32 f32,
        serialize_f64 f64, serialize_char char, serialize_bytes &[u8], serialize_unit_struct &'static str,
    }

    fn serialize_str(self, text: &str) -> Done<S> {
        self.inner.serialize_str(&self.names.masked(text, self.rule))
    }

    /// Moments are written through here; they are no names.
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Done<S> {
        self.inner.collect_str(value)
    }

    fn serialize_none(self) -> Done<S> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done<S> {
        let value = Within { value, names: self.names, rule: self.rule };
        self.inner.serialize_some(&value)
    }

    fn serialize_unit(self) -> Done<S> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(self, of: &'static str, i: u32, variant: &'static str) -> Done<S> {
        self.inner.serialize_unit_variant(of, i, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, of: &'static str, value: &T) -> Done<S> {
        let value = Within { value, names: self.names, rule: Rule::of(of, "0", self.rule) };
        self.inner.serialize_newtype_struct(of, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        of: &'static str,
        i: u32,
        variant: &'static str,
        value: &T,
    ) -> Done<S> {
        let value = Within { value, names: self.names, rule: self.rule };
        self.inner.serialize_newtype_variant(of, i, variant, &value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        open!(self, "", self.inner.serialize_seq(len))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        open!(self, "", self.inner.serialize_tuple(len))
    }

    fn serialize_tuple_struct(
        self,
        of: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        open!(self, of, self.inner.serialize_tuple_struct(of, len))
    }

    fn serialize_tuple_variant(
        self,
        of: &'static str,
        i: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        open!(self, of, self.inner.serialize_tuple_variant(of, i, variant, len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        open!(self, "", self.inner.serialize_map(len))
    }

    fn serialize_struct(self, of: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        open!(self, of, self.inner.serialize_struct(of, len))
    }

    fn serialize_struct_variant(
        self,
        of: &'static str,
        i: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        open!(self, of, self.inner.serialize_struct_variant(of, i, variant, len))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident,)*) => {
        $(impl<C: $trait> $trait for Open<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                let rule = Rule::of(self.of, "0", self.rule);
                self.inner.$method(&Within { value, names: self.names, rule })
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

elements! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! fields {
    ($($trait:ident)*) => {
        $(impl<C: $trait> $trait for Open<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                let rule = Rule::of(self.of, key, self.rule);
                self.inner.serialize_field(key, &Within { value, names: self.names, rule })
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

fields! { SerializeStruct SerializeStructVariant }

impl<C: SerializeMap> SerializeMap for Open<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        // Whatever the values are, a key is a name: two keys must not become one.
        let rule = if self.rule == Rule::Keep { Rule::Keep } else { Rule::Names };
        self.inner.serialize_key(&Within { value: key, names: self.names, rule })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&Within { value, names: self.names, rule: self.rule })
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
